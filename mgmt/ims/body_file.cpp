#include "mgmt/ims/body_file.hpp"

#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/content_digest.hpp"

#include <vector>

namespace rouse::ims {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr int kPublishAttempts = 3;

tl::unexpected<http::Problem> disk_full(const Error& error) {
    return http::problem(http::Status::insufficient_storage, error.message);
}

// Fills BUFFER from the request; fewer bytes than it holds: the body has ended.
asio::awaitable<http::OrProblem<std::size_t>> fill(http::Request& request, std::span<std::byte> buffer) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const auto got = co_await request.read_some(buffer.subspan(filled));
        if (!got) co_return tl::unexpected(got.error());
        if (*got == 0) break;
        filled += *got;
    }
    co_return filled;
}

}  // namespace

asio::awaitable<http::OrProblem<boot::Content>> receive_file(const Services& services, http::Request& request,
                                                             std::unique_ptr<boot::Upload>& upload) {
    const auto announced = digest_of(request.headers);
    if (!announced) co_return tl::unexpected(announced.error());
    const auto begun = co_await run_on(services.disk, [&]() -> Result<void> {
        auto made = boot::Upload::begin(services.catalogue.images_dir());
        if (!made) return tl::unexpected(made.error());
        upload = std::make_unique<boot::Upload>(std::move(*made));
        return {};
    });
    if (!begun) co_return disk_full(begun.error());
    std::vector<std::byte> buffer(kPieceBytes);
    for (;;) {
        const auto filled = co_await fill(request, buffer);
        if (!filled) co_return tl::unexpected(filled.error());
        const auto bytes = std::span<const std::byte>(buffer).first(*filled);
        const auto stored = co_await run_on(services.disk, [&] { return upload->append(bytes); });
        if (!stored) co_return disk_full(stored.error());
        if (*filled < buffer.size()) break;
    }
    const auto content = co_await run_on(services.disk, [&] { return upload->finish(); });
    if (!content) co_return disk_full(content.error());
    if (*announced && **announced != content->hash)
        co_return http::problem(http::Status::bad_request,
                                "the body was damaged on its way: its SHA-256 is " +
                                    boot::to_hex(content->hash) + " here and " + boot::to_hex(**announced) +
                                    " by its digest field; send it again");
    co_return *content;
}

asio::awaitable<Outcome<void>> publish_files(const Services& services, const http::Request& request,
                                             std::span<boot::Upload> contents,
                                             std::function<Outcome<void>(store::Batch&)> name) {
    for (int attempt = 1;; ++attempt) {
        const auto published =
            co_await run_on(services.disk, [&] { return boot::Upload::publish(contents); });
        if (!published) co_return pass_on(published.error());
        auto named = co_await services.change(request, [&](store::Batch& batch) { return name(batch); });
        const bool collected = !named && named.error().kind == Failure::Kind::gone;
        if (!collected || attempt == kPublishAttempts) co_return named;
    }
}

}  // namespace rouse::ims
