#include "mgmt/cli/command.hpp"
#include "mgmt/http/uri.hpp"

#include <map>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

struct NewMachine {
    std::string hostname, mac, ip, boot_profile, cluster, role;
};

OrFailure<void> add(Context& context, Session& session, const NewMachine& machine) {
    json body = {{"hostname", machine.hostname}, {"mac", machine.mac}};
    if (!machine.ip.empty()) body["ip"] = machine.ip;
    if (!machine.boot_profile.empty()) body["boot_profile"] = machine.boot_profile;
    if (!machine.role.empty()) body["role"] = machine.role;
    if (!machine.cluster.empty()) {
        const auto cluster = find_cluster(session, machine.cluster);
        if (!cluster) return tl::unexpected(cluster.error());
        body["cluster"] = *cluster;
    }
    const auto made = session.post("/api/machines/", body);
    if (!made) return tl::unexpected(made.error());
    const std::string ip = plain_text(*made, "ip");
    context.print_done(*made, "registered " + plain_text(*made, "hostname") + " (" +
                                  plain_text(*made, "mac") + ")" +
                                  (ip == "-" ? ", which has no address yet" : " with the address " + ip));
    return {};
}

OrFailure<void> list(Context& context, Session& session, const std::string& cluster) {
    std::string path = "/api/machines/";
    if (!cluster.empty()) {
        const auto id = find_cluster(session, cluster);
        if (!id) return tl::unexpected(id.error());
        path += "?cluster=" + http::percent_encode(*id);
    }
    const auto machines = session.get(path);
    if (!machines) return tl::unexpected(machines.error());
    std::map<std::string, std::string> names;
    if (context.format == Format::table) {
        const auto clusters = session.get("/api/cluster/");
        if (!clusters) return tl::unexpected(clusters.error());
        for (const auto& one : *clusters) names[plain_text(one, "id")] = plain_text(one, "name");
    }
    const auto cluster_name = [&names](const json& machine) {
        const auto id = plain_text(machine, "cluster");
        const auto name = names.find(id);
        return name == names.end() ? id : name->second;
    };
    context.print_list({column("HOSTNAME", "hostname"),
                        column("MAC", "mac"),
                        column("IP", "ip"),
                        column("STATUS", "status"),
                        column("ROLE", "role"),
                        {"CLUSTER", cluster_name},
                        column("PROFILE", "boot_profile"),
                        column("ID", "id")},
                       *machines);
    return {};
}

OrFailure<void> show(Context& context, Session& session, const std::string& name) {
    const auto id = find_machine(session, name);
    if (!id) return tl::unexpected(id.error());
    const auto machine = session.get("/api/machines/" + *id + "/");
    if (!machine) return tl::unexpected(machine.error());
    if (context.format == Format::json)
        context.console.out << machine->dump(2) << '\n';
    else
        print_members(context.console.out, *machine);
    return {};
}

OrFailure<void> remove(Context& context, Session& session, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto id = find_machine(session, name);
        if (!id) return tl::unexpected(id.error());
        if (auto removed = session.remove("/api/machines/" + *id + "/"); !removed) return removed;
        context.print_done({{"id", *id}}, "deleted " + name);
    }
    return {};
}

}  // namespace

void add_machines(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("machine", "Machines that the appliance serves");
    group->require_subcommand(1);

    auto* adding = group->add_subcommand("add", "Register a machine");
    const auto machine = std::make_shared<NewMachine>();
    adding->add_option("HOSTNAME", machine->hostname, "its name")->required();
    adding->add_option("MAC", machine->mac, "address of the interface it boots from")->required();
    adding->add_option("--ip", machine->ip, "its address (default: planned from a pool)");
    adding->add_option("--profile", machine->boot_profile, "name of its boot profile");
    adding->add_option("--cluster", machine->cluster, "name or id of its cluster");
    adding->add_option("--role", machine->role, "MASTER, WORKER, STORAGE or GATEWAY");
    context.act_with_session(
        *adding, [&context, machine](Session& session) { return add(context, session, *machine); });

    auto* listing = group->add_subcommand("list", "List machines");
    const auto cluster = std::make_shared<std::string>();
    listing->add_option("--cluster", *cluster, "only those of this cluster (name or id)");
    context.act_with_session(
        *listing, [&context, cluster](Session& session) { return list(context, session, *cluster); });

    auto* showing = group->add_subcommand("show", "Show all that is known of a machine");
    const auto shown = std::make_shared<std::string>();
    showing->add_option("MACHINE", *shown, "hostname, MAC address or id")->required();
    context.act_with_session(*showing,
                             [&context, shown](Session& session) { return show(context, session, *shown); });

    auto* deleting = group->add_subcommand("delete", "Delete machines: they are not served any more");
    const auto gone = std::make_shared<std::vector<std::string>>();
    deleting->add_option("MACHINE", *gone, "hostnames, MAC addresses or ids")->required();
    context.act_with_session(*deleting,
                             [&context, gone](Session& session) { return remove(context, session, *gone); });
}

}  // namespace rouse::cli
