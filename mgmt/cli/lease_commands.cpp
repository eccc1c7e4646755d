// Leases: who has which address, and ending a guest's.

#include "mgmt/cli/command.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kPage = 10'000;  // the most that the appliance sends at once

// All pages of a list. QUERY: "&name=value…", or nothing.
OrFailure<json> get_all(Session& session, const std::string& query) {
    json all = json::array();
    std::string after;
    for (;;) {
        auto page = session.get("/api/leases/?limit=" + std::to_string(kPage) + query + after);
        if (!page) return page;
        const bool last = page->size() < kPage;
        if (!page->empty()) after = "&after=" + plain_text(page->back(), "id");
        for (auto& lease : *page) all.push_back(std::move(lease));
        if (last) return all;
    }
}

}  // namespace

void add_leases(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("lease", "Leases: who has which address");
    group->require_subcommand(1);

    auto* listing = group->add_subcommand("list", "List leases, by address");
    const auto query = std::make_shared<std::string>();
    const auto filter = [&](const std::string& flag, const std::string& parameter, const std::string& help) {
        return listing->add_option_function<std::string>(
            flag, [query, parameter](const std::string& value) { *query += "&" + parameter + "=" + value; },
            help);
    };
    filter("--state", "binding_state", "only those in this state")
        ->check(CLI::IsMember({"reserved", "offered", "active", "expired", "released", "abandoned"}));
    filter("--mac", "mac_address", "only this machine's");
    filter("--pool", "ip_pool", "only this pool's (id)");
    context.act_with_session(*listing, [&context, query](Session& session) -> OrFailure<void> {
        const auto leases = get_all(session, *query);
        if (!leases) return tl::unexpected(leases.error());
        context.print_list(
            {column("ADDRESS", "ip_address"), column("MAC", "mac_address"), column("HOSTNAME", "hostname"),
             column("STATE", "binding_state"), column("SINCE", "lease_start"), column("UNTIL", "lease_end"),
             column("LAST SEEN", "last_transaction")},
            *leases);
        return {};
    });

    auto* ending = group->add_subcommand("end", "End a guest's lease, or an address's quarantine");
    const auto address = std::make_shared<std::string>();
    ending->add_option("ADDRESS", *address, "the address")->required();
    context.act_with_session(*ending, [&context, address](Session& session) -> OrFailure<void> {
        if (const auto ended = session.remove("/api/leases/" + *address + "/"); !ended) return ended;
        context.print_done(json{{"ip_address", *address}}, "ended the lease of " + *address);
        return {};
    });
}

}  // namespace rouse::cli
