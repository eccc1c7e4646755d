#include "mgmt/ims/audit.hpp"

#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/list_query.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace rouse::ims {

using http::Method;
using http::Request;
using http::Status;
using nlohmann::json;

namespace {

const http::Schema& audit_schema() {
    static const http::Schema schema(
        "AuditEntry", "Something that was done over REST, or was tried",
        {http::uuid("id", "identifies the entry; their order is that of time").read_only(),
         http::timestamp("created_at", "when it was committed").read_only(),
         http::choice("event",
                      "created, changed, deleted: an object was; request: something else was done; refused: "
                      "for want of a role; login-failed",
                      words(store::kAuditEvents))
             .read_only(),
         http::string("user", "whose token it was, or who a failed login said it was").read_only(),
         http::boolean("is_client", "true when that is an OAuth2 client and no user").read_only(),
         http::array(http::string("roles", "of that user or client")).read_only(),
         http::string("address", "where the request came from").read_only(),
         http::string("request_id", "as in the log and in X-Request-Id").read_only(),
         http::string("method", "of the request").read_only(),
         http::string("path", "of the request").read_only(),
         http::string("kind", "of the object: machine").read_only(),
         http::string("object", "its id").read_only(),
         http::integer("status", "of the answer, when no object was changed").read_only(),
         http::any("before", "the object; of a change: the fields that changed; without secrets").read_only(),
         http::any("after", "likewise, afterwards").read_only()});
    return schema;
}

bool is_login(const Request& request) {
    return !request.claimed.empty() && request.route != nullptr && !request.route->access.roles;
}

// Something that no operation of the writer has logged. A viewer's requests change nothing.
bool is_of_note(const Request& request, Status status) {
    if (request.route == nullptr || !request.route->access.roles || http::code(status) >= 400) return false;
    if (request.route->is_audited) return true;
    return request.method != Method::get && request.method != Method::head &&
           request.method != Method::options && !request.is_audited &&
           !http::allows(http::Role::viewer, *request.route->access.roles);
}

std::string event_of(const Request& request, Status status) {
    if (status == Status::forbidden && request.principal) return "refused";
    if (status == Status::unauthorized && is_login(request)) return "login-failed";
    return is_of_note(request, status) ? "request" : "";
}

// There may be millions of entries.
constexpr PageLimits kPages{.usual = 1000, .most = 10'000};

http::Outcome list(const Services& services, const Request& request) {
    const auto query = ListQuery::parse(audit_schema(), request, {}, kPages);
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto page = query->run(*snapshot, store::kAudit,
                                 {{"object", &store::kAuditByObject}, {"user", &store::kAuditByUser}});
    if (!page) return refused(page.error());
    return ListQuery::answer(request, *page);
}

http::Outcome read(const Services& services, const Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto entry = require(*snapshot, store::kAudit, request.parameter("id"));
    if (!entry) return refused(entry.error());
    return http::Response::json(visible(entry->fields));
}

}  // namespace

store::Author author_of(const Request& request) {
    store::Author author;
    author.user = request.principal ? request.principal->user : request.claimed;
    if (request.principal) {
        author.is_client = request.principal->is_client;
        author.roles = request.principal->roles.names();
    }
    author.address = request.peer.to_string();
    author.request_id = request.id;
    author.method = http::to_string(request.method);
    author.path = request.path;
    return author;
}

void AuditTrail::watch(http::Router& router) {
    router.observe_with([this](const Request& request, Status status) { note(request, status); });
}

void AuditTrail::note(const Request& request, Status status) {
    std::string event = event_of(request, status);
    if (event.empty()) return;
    if (event != "request" && !may_log()) {
        ++suppressed_;
        return;
    }
    auto add = [author = author_of(request),
                entry = store::AuditEntry{.event = std::move(event), .status = http::code(status)}](
                   store::Batch& batch) { return store::audit(batch, author, entry); };
    writer_->post(std::move(add), [this](const Outcome<void>& added) {
        if (added) return;
        ++lost_;
        spdlog::error("the audit log could not take an entry: {}", added.error().message);
    });
}

bool AuditTrail::may_log() {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    tokens_ = std::min(kAtOnce, tokens_ + kPerSecond * std::chrono::duration<double>(now - last_).count());
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
}

void add_audit(http::Router& router, const Services& services) {
    http::Route listing{.method = Method::get,
                        .pattern = "/api/audit/",
                        .access = http::Access::of(http::Role::administrator),
                        .tag = "Audit",
                        .summary = "List: each entry of the audit log",
                        .response = &audit_schema()};
    http::Route reading = listing;
    listing.response_is_list = true;
    listing.query = ListQuery::parameters(audit_schema());
    router.add(std::move(listing),
               http::Handler([services](Request& request) -> boost::asio::awaitable<http::Outcome> {
                   const auto look = [&] { return list(services, request); };
                   co_return co_await run_on(services.disk, look);  // it may have to look at all of them
               }));
    reading.pattern = "/api/audit/{id}/";
    reading.summary = "Read one entry of the audit log";
    router.add(std::move(reading), [services](Request& request) { return read(services, request); });
}

}  // namespace rouse::ims
