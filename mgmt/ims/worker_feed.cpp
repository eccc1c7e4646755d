// GET /api/ims-worker/{worker}/changes/: what a worker follows, as a long poll.
// GET /api/ims-worker/{worker}/contents/{sha256}: an image's bytes by their hash, with ranges.

#include "mgmt/boot/serving.hpp"
#include "mgmt/boot/sha256.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/file_response.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/workers/feed.hpp"
#include "shared/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and how they are read
using http::Request;
using http::Response;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kLongestWait = 60;
constexpr std::uint64_t kMostDocuments = 10'000;
// Between a change and the look at it: hundreds of workers wait, and a storm changes thousands of documents a
// second, of which each concerns one or two of them.
constexpr auto kGather = 200ms;

http::OrProblem<workers::FeedQuery> query_of(const Request& request, const std::string& worker) {
    workers::FeedQuery query{.worker = worker};
    const auto after = request.query.integer("after", 0, 0, UINT64_MAX);
    if (!after) return tl::unexpected(after.error());
    const auto limit = request.query.integer("limit", query.limit, 1, kMostDocuments);
    if (!limit) return tl::unexpected(limit.error());
    query.after = *after;
    query.limit = *limit;
    query.epoch = request.query.find("epoch").value_or("");
    query.mark = request.query.find("mark").value_or("");
    return query;
}

// What the worker says that it has: remembered, for whoever must know what it may still answer.
asio::awaitable<Outcome<void>> note_confirmed(const Services& services, const workers::FeedQuery& query) {
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return pass_on(snapshot.error());
        const auto epoch = workers::identity_of(*snapshot);
        const auto known = boot::confirmed_by(*snapshot, query.worker);
        if (!epoch) co_return pass_on(epoch.error());
        if (!known) co_return pass_on(known.error());
        if (query.epoch != *epoch || query.after == *known) co_return Outcome<void>{};
    }
    const auto noted = co_await services.writer.submit(
        [&query](Batch& batch) { return boot::set_confirmed(batch, query.worker, query.after); });
    if (!noted) co_return pass_on(noted.error());
    co_return Outcome<void>{};
}

Result<workers::FeedAnswer> look(const Services& services, const workers::FeedQuery& query) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    return workers::feed_answer(*snapshot, query);
}

asio::awaitable<void> pause(std::chrono::milliseconds duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<http::Outcome> changes(const Services& services, const Request& request) {
    const auto worker = acting_worker(services, request, request.parameter("worker"));
    if (!worker) co_return tl::unexpected(worker.error());
    auto query = query_of(request, worker->text("worker_id"));
    if (!query) co_return tl::unexpected(query.error());
    const auto wait = request.query.integer("wait", 0, 0, kLongestWait);
    if (!wait) co_return tl::unexpected(wait.error());
    query->tenure_seconds = services.roster.tenure_seconds();
    // Whoever walks through all that there is has not everything yet.
    if (request.query.find("walk") != "true") {
        const auto noted = co_await note_confirmed(services, *query);
        if (!noted) co_return refused(noted.error());
    }
    const std::uint64_t deadline = monotonic_ns() + *wait * kNanosPerSecond;
    for (;;) {
        const auto answer = look(services, *query);
        if (!answer) co_return refused(answer.error());
        const std::uint64_t now = monotonic_ns();
        if (!answer->is_empty || now >= deadline) {
            services.roster.answered(query->worker, answer->sequence);
            co_return Response::json_text(answer->text);
        }
        // What was looked at concerns others: no need to look at it again.
        query->after = answer->sequence;
        const auto left = std::chrono::milliseconds((deadline - now) / kNanosPerMilli + 1);
        const bool more = co_await services.writer.changes().wait(answer->sequence, left);
        if (!more && monotonic_ns() < deadline) {  // the process is about to stop
            services.roster.answered(query->worker, answer->sequence);
            co_return Response::json_text(answer->text);
        }
        if (more) co_await pause(kGather);
    }
}

http::Outcome content(const Services& services, const Request& request) {
    const auto worker = acting_worker(services, request, request.parameter("worker"));
    if (!worker) return tl::unexpected(worker.error());
    const std::string& hex = request.parameter("sha256");
    const auto hash = boot::sha256_from_hex(hex);
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto image =
        hash ? find_by(*snapshot, kImages, kImageBySha256, hex) : Result<std::optional<Document>>{};
    if (!image) return refused(image.error());
    if (!*image) return http::problem(http::Status::not_found, "no image has the content " + hex);
    return image_response(services.catalogue, request, *hash,
                          (*image)->fields.value("size", std::uint64_t{0}));
}

}  // namespace

void add_worker_feed(http::Router& router, const Services& services) {
    router.add(
        {.method = http::Method::get,
         .pattern = "/api/ims-worker/{worker}/changes/",
         .access = http::Access::of(http::Role::worker),
         .tag = "Workers",
         .summary = "What the worker is to follow after ?after= of ?epoch=; waits ?wait= seconds for it",
         .answer_media = {"application/json"}},
        http::Handler([services](Request& request) { return changes(services, request); }));
    router.add({.method = http::Method::get,
                .pattern = "/api/ims-worker/{worker}/contents/{sha256}",
                .access = http::Access::of(http::Role::worker),
                .tag = "Workers",
                .summary = "Read an image's bytes by their SHA-256",
                .answer_media = {"application/octet-stream"}},
               [services](Request& request) { return content(services, request); });
}

}  // namespace rouse::ims
