#include "mgmt/events/timeline.hpp"

#include "mgmt/events/strangers.hpp"
#include "mgmt/events/text.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/list_query.hpp"
#include "mgmt/ims/observation.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/boot_architecture.hpp"

#include <nlohmann/json.hpp>

namespace rouse::ims {
namespace {

using http::Status;

constexpr std::uint64_t kMaxWaitSeconds = 60;

const http::Schema kTimelineEntry("TimelineEntry", "One thing that happened to a machine",
                                  {
                                      http::integer("sequence", "from 1, without gaps").read_only(),
                                      http::timestamp("time", "when it happened").read_only(),
                                      http::string("event", "its kind, for programs").read_only(),
                                      http::string("text", "a sentence for people").read_only(),
                                      http::any("details", "the figures behind it").read_only(),
                                  });

const http::Schema kStranger("Stranger", "A machine that asked to boot and is not registered",
                             {
                                 http::mac("mac", "its hardware address").read_only(),
                                 http::string("vendor_class", "DHCP option 60").read_only(),
                                 http::string("architecture", "as boot profiles name it").read_only(),
                                 http::string("reason", "why it got no answer").read_only(),
                                 http::timestamp("first_seen", "when it was first heard").read_only(),
                                 http::timestamp("last_seen", "when it was last heard").read_only(),
                                 http::integer("events", "how often").read_only(),
                             });

struct Asked {
    store::Id machine;
    std::uint64_t after = 0, limit = 0, wait = 0;
};

http::OrProblem<Asked> parse(const http::Request& request) {
    Asked asked;
    const auto id = store::Id::parse(request.parameter("id"));
    if (!id) return http::problem(Status::not_found, "there is no machine " + request.parameter("id"));
    asked.machine = *id;
    const auto after = request.query.integer("after", 0, 0, INT64_MAX);
    if (!after) return tl::unexpected(after.error());
    const auto limit = request.query.integer("limit", events::kMaxEntries, 1, events::kMaxEntries);
    if (!limit) return tl::unexpected(limit.error());
    const auto wait = request.query.integer("wait", 0, 0, kMaxWaitSeconds);
    if (!wait) return tl::unexpected(wait.error());
    asked.after = *after;
    asked.limit = *limit;
    asked.wait = *wait;
    return asked;
}

http::OrProblem<events::Page> read_page(const Observation& observation, const Asked& asked) {
    const auto snapshot = observation.writer.store().snapshot();
    if (!snapshot) return http::problem(Status::service_unavailable, snapshot.error().message);
    const auto machine = store::find(*snapshot, store::kMachines, asked.machine);
    if (!machine) return http::problem(Status::internal_server_error, machine.error().message);
    if (!*machine)
        return http::problem(Status::not_found, "there is no machine " + asked.machine.to_string());
    auto page = events::read_timeline(*snapshot, observation.consumer.tables(), asked.machine, asked.after,
                                      asked.limit);
    if (!page) return http::problem(Status::internal_server_error, page.error().message);
    return std::move(*page);
}

boost::asio::awaitable<http::Outcome> get_timeline(const Observation& observation,
                                                   const http::Request& request) {
    const auto asked = parse(request);
    if (!asked) co_return tl::unexpected(asked.error());
    auto page = read_page(observation, *asked);
    if (page && page->last_sequence == asked->after && asked->wait != 0) {
        // Whatever it says, what is there now is the answer.
        co_await observation.consumer.wait_for_timeline(asked->machine, asked->after,
                                                        static_cast<double>(asked->wait));
        page = read_page(observation, *asked);
    }
    if (!page) co_return tl::unexpected(page.error());
    co_return http::Response::json_text(std::move(page->json));
}

nlohmann::json describe(const events::SeenStranger& stranger) {
    const auto& [mac, seen] = stranger;
    nlohmann::json one{{"mac", mac.to_string()},
                       {"vendor_class", seen.vendor_class.view()},
                       {"first_seen", store::to_timestamp(seen.first_seen_ns)},
                       {"last_seen", store::to_timestamp(seen.last_seen_ns)},
                       {"events", seen.events}};
    if (seen.architecture != kArchitectureUnknown)
        one["architecture"] = events::architecture_name(seen.architecture);
    if (seen.reason != 0 && seen.reason < kDropReasons.size()) one["reason"] = kDropReasons[seen.reason].help;
    return one;
}

// Those seen last come first, unless the query sorts them.
http::Outcome get_strangers(const Observation& observation, const http::Request& request) {
    const auto query = ListQuery::parse(kStranger, request, {}, {}, "-last_seen");
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = observation.writer.store().snapshot();
    if (!snapshot) return http::problem(Status::service_unavailable, snapshot.error().message);
    const auto strangers = events::read_strangers(*snapshot, observation.consumer.tables());
    if (!strangers) return http::problem(Status::internal_server_error, strangers.error().message);
    const auto source = [&](const nlohmann::json&, const ListQuery::Take& take) -> Outcome<void> {
        for (const auto& stranger : *strangers)
            if (!take(describe(stranger))) break;
        return {};
    };
    const auto page = query->run(source);
    if (!page) return refused(page.error());
    return ListQuery::answer(request, *page);
}

}  // namespace

void add_timeline(http::Router& router, const Observation& observation) {
    router.add(
        {.method = http::Method::get,
         .pattern = "/api/machines/{id}/timeline",
         .tag = "Machines",
         .summary = "What happened to a machine",
         .response = &kTimelineEntry,
         .response_is_list = true,
         .query = {{"after", "only entries of a higher sequence", "integer"},
                   {"limit", "at most so many entries", "integer"},
                   {"wait", "seconds to wait for an entry when there is none", "integer"}}},
        http::Handler([observation](http::Request& request) { return get_timeline(observation, request); }));
    router.add({.method = http::Method::get,
                .pattern = "/api/strangers",
                .tag = "Machines",
                .summary = "Machines that asked to boot and are not registered, last seen first",
                .response = &kStranger,
                .response_is_list = true,
                .query = ListQuery::parameters(kStranger)},
               [observation](http::Request& request) { return get_strangers(observation, request); });
}

}  // namespace rouse::ims
