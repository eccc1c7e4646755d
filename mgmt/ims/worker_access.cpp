#include "mgmt/ims/worker_access.hpp"

#include "mgmt/boot/boot_token.hpp"
#include "mgmt/http/headers.hpp"
#include "mgmt/ims/problems.hpp"

#include <algorithm>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and how they are found

namespace {

// Whether a path is of objects that a worker has from its centre.
bool is_followed(std::string_view path) {
    constexpr std::string_view kPaths[] = {"/api/machines", "/api/cluster",      "/api/ip-pools",
                                           "/api/leases",   "/api/boot-profile", "/api/images",
                                           "/api/image-im", "/api/ims-worker",   "/o2ims"};
    return std::any_of(std::begin(kPaths), std::end(kPaths),
                       [path](std::string_view prefix) { return path.starts_with(prefix); });
}

std::string_view bearer_of(const http::Request& request) {
    constexpr std::string_view kScheme = "Bearer ";
    const auto header = request.headers.get("Authorization");
    const bool is_bearer = header.size() > kScheme.size() &&
                           http::equal_ignoring_case(header.substr(0, kScheme.size()), kScheme);
    return is_bearer ? header.substr(kScheme.size()) : std::string_view{};
}

}  // namespace

bool is_worker_id(std::string_view id) {
    return !id.empty() && id.front() != '.' && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    });
}

http::OrProblem<http::Principal> worker_of_token(const Store& store, std::string_view token) {
    const auto snapshot = store.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto worker = find_by(*snapshot, kWorkers, kWorkerByTokenHash, boot::hash_token(token));
    if (!worker) return refused(worker.error());
    if (*worker) return http::Principal{(*worker)->text("worker_id"), http::Role::worker};
    http::Problem out{http::Status::unauthorized,
                      "this is no worker's token, or not any more; enrol the worker again",
                      {},
                      {}};
    out.headers.add("WWW-Authenticate", "Bearer realm=\"rouse\", error=\"invalid_token\"");
    return tl::unexpected(std::move(out));
}

http::Authenticator with_workers(const Store& store, http::Authenticator others) {
    return [&store, others = std::move(others)](const http::Request& request) {
        const auto token = bearer_of(request);
        return token.starts_with(kWorkerTokenPrefix) ? worker_of_token(store, token) : others(request);
    };
}

http::Authenticator with_centre(std::string url, http::Authenticator inner) {
    return [url = std::move(url),
            inner = std::move(inner)](const http::Request& request) -> http::OrProblem<http::Principal> {
        auto principal = inner(request);
        const bool reads = request.method == http::Method::get || request.method == http::Method::head ||
                           request.method == http::Method::options;
        if (!principal || reads || !is_followed(request.path)) return principal;
        return http::problem(http::Status::conflict,
                             "this appliance is a worker and follows its centre: make the change at " + url);
    };
}

http::OrProblem<Document> acting_worker(const Services& services, const http::Request& request,
                                        const std::string& worker_id) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    auto worker = find_by(*snapshot, kWorkers, kWorkerByWorkerId, worker_id);
    if (!worker) return refused(worker.error());
    if (!*worker)
        return http::problem(http::Status::not_found,
                             "there is no worker " + worker_id + "; register it first");
    const auto& principal = *request.principal;
    if (principal.user != worker_id && !http::allows(principal.roles, http::Role::administrator))
        return http::problem(http::Status::forbidden,
                             "this token is the worker " + principal.user + "'s and acts for no other");
    return std::move(**worker);
}

}  // namespace rouse::ims
