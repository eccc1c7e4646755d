// /api/images/: the catalogue of files that machines may be given.

#include "mgmt/boot/image_name.hpp"
#include "mgmt/boot/upload.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/file_response.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"

#include <memory>
#include <vector>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr int kPublishAttempts = 3;

const http::Schema& image_schema() {
    static const http::Schema schema(
        "Image", "A file that machines may be given",
        {http::uuid("id", "identifies the name").read_only(),
         http::string("name", "as clients ask for it").read_only(),
         http::integer("size", "bytes").read_only(),
         http::string("sha256", "of its bytes, in hex").read_only(),
         http::timestamp("created_at", "when the name was made").read_only(),
         http::timestamp("updated_at", "when its content last changed").read_only()});
    return schema;
}

// Fills BUFFER from the request; fewer bytes than it holds: the body has ended.
asio::awaitable<http::OrProblem<std::size_t>> fill(Request& request, std::span<std::byte> buffer) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const auto got = co_await request.read_some(buffer.subspan(filled));
        if (!got) co_return tl::unexpected(got.error());
        if (*got == 0) break;
        filled += *got;
    }
    co_return filled;
}

// The body into a file of its own. UPLOAD keeps that file until it is destroyed.
asio::awaitable<http::OrProblem<boot::Content>> receive(const Services& services, Request& request,
                                                        std::unique_ptr<boot::Upload>& upload) {
    auto disk_full = [](const Error& error) {
        return http::problem(http::Status::insufficient_storage, error.message);
    };
    const auto begun = co_await run_on(services.disk, [&]() -> Result<void> {
        auto made = boot::Upload::begin(services.catalogue.images_dir());
        if (!made) return tl::unexpected(made.error());
        upload = std::make_unique<boot::Upload>(std::move(*made));
        return {};
    });
    if (!begun) co_return disk_full(begun.error());
    std::vector<std::byte> buffer(kChunkBytes);
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
    co_return *content;
}

asio::awaitable<Outcome<boot::Catalogue::Named>> publish(const Services& services, const std::string& name,
                                                         boot::Upload& upload, const boot::Content& content) {
    for (int attempt = 1;; ++attempt) {
        const auto published = co_await run_on(services.disk, [&] { return upload.publish(); });
        if (!published) co_return pass_on(published.error());
        auto named = co_await services.writer.submit(
            [&](Batch& batch) { return services.catalogue.name(batch, name, content); });
        const bool collected = !named && named.error().kind == Failure::Kind::gone;
        if (!collected || attempt == kPublishAttempts) co_return named;
    }
}

asio::awaitable<http::Outcome> put(const Services& services, Request& request) {
    const std::string name = request.parameter("name");
    // Before the first byte: a client that waits for "100 Continue" then sends none.
    if (const auto checked = boot::check_image_name(name); !checked)
        co_return http::problem(http::Status::bad_request, checked.error().message);
    std::unique_ptr<boot::Upload> upload;
    const auto content = co_await receive(services, request, upload);
    if (!content) {
        // Removing a large file takes its time.
        co_await run_on(services.disk, [&] {
            upload.reset();
            return true;
        });
        co_return tl::unexpected(content.error());
    }
    const auto named = co_await publish(services, name, *upload, *content);
    co_await run_on(services.disk, [&] {
        upload.reset();
        return true;
    });
    if (!named) co_return refused(named.error());
    const json out = visible(named->image.fields);
    co_return named->created ? Response::created(request.path, out) : Response::json(out);
}

http::Outcome get(const Services& services, const Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto image = find_by(*snapshot, kImages, kImageByName, request.parameter("name"));
    if (!image) return refused(image.error());
    const auto hash = *image ? boot::sha256_from_hex((*image)->text("sha256")) : std::nullopt;
    if (!hash)
        return http::problem(http::Status::not_found, "there is no image " + request.parameter("name"));
    return image_response(services.catalogue, request, *hash,
                          (*image)->fields.value("size", std::uint64_t{0}));
}

asio::awaitable<http::Outcome> remove(const Services& services, const Request& request) {
    const std::string& name = request.parameter("name");
    const auto removed =
        co_await services.writer.submit([&](Batch& batch) { return services.catalogue.remove(batch, name); });
    if (!removed) co_return refused(removed.error());
    if (!*removed) co_return http::problem(http::Status::not_found, "there is no image " + name);
    co_return Response::no_content();
}

http::Outcome list(const Services& services) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    json out = json::array();
    const auto listed = for_each(*snapshot, kImages, std::nullopt, [&out](const Document& image) {
        out.push_back(visible(image.fields));
        return true;
    });
    if (!listed) return refused(listed.error());
    return Response::json(out);
}

}  // namespace

void add_images(http::Router& router, const Services& services) {
    const std::string tag = "Images";
    router.add({.method = http::Method::get,
                .pattern = "/api/images/",
                .tag = tag,
                .summary = "List: each image",
                .response = &image_schema(),
                .response_is_list = true},
               [services](Request&) { return list(services); });
    const std::string one = "/api/images/{name...}";
    router.add({.method = http::Method::put,
                .pattern = one,
                .access = http::Access::of(http::Role::operator_),
                .tag = tag,
                .summary = "Store the body's bytes under this name",
                .body = http::BodyKind::stream,
                .response = &image_schema(),
                .success = http::Status::created},
               http::Handler([services](Request& request) { return put(services, request); }));
    router.add({.method = http::Method::get, .pattern = one, .tag = tag, .summary = "Read an image's bytes"},
               [services](Request& request) { return get(services, request); });
    router.add({.method = http::Method::delete_,
                .pattern = one,
                .access = http::Access::of(http::Role::operator_),
                .tag = tag,
                .summary = "Delete an image's name",
                .success = http::Status::no_content},
               http::Handler([services](Request& request) { return remove(services, request); }));
}

}  // namespace rouse::ims
