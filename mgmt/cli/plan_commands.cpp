// What machines are planned with: clusters, address pools, boot profiles.

#include "mgmt/cli/command.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

// A list of everything at PATH.
void add_list(CLI::App& group, Context& context, const std::string& help, const std::string& path,
              std::vector<Column> columns) {
    auto* command = group.add_subcommand("list", help);
    context.act_with_session(
        *command, [&context, path, columns = std::move(columns)](Session& session) -> OrFailure<void> {
            const auto objects = session.get(path);
            if (!objects) return tl::unexpected(objects.error());
            context.print_list(columns, *objects);
            return {};
        });
}

// Posts BODY, filled by the command's options, and tells what was made by its member NAME.
void add_post(CLI::App& command, Context& context, const std::string& path, std::shared_ptr<json> body,
              const std::string& noun, const std::string& name) {
    context.act_with_session(
        command, [&context, path, body, noun, name](Session& session) -> OrFailure<void> {
            if (body->contains("cluster")) {
                const auto cluster = find_cluster(session, body->at("cluster"));
                if (!cluster) return tl::unexpected(cluster.error());
                (*body)["cluster"] = *cluster;
            }
            const auto made = session.post(path, *body);
            if (!made) return tl::unexpected(made.error());
            context.print_done(*made, "added the " + noun + " " + plain_text(*made, name));
            return {};
        });
}

CLI::Option* text_option(CLI::App& command, const std::shared_ptr<json>& body, const std::string& flags,
                         const std::string& member, const std::string& help) {
    return command.add_option_function<std::string>(
        flags, [body, member](const std::string& value) { (*body)[member] = value; }, help);
}

CLI::Option* number_option(CLI::App& command, const std::shared_ptr<json>& body, const std::string& flags,
                           const std::string& member, const std::string& help) {
    return command.add_option_function<std::int64_t>(
        flags, [body, member](std::int64_t value) { (*body)[member] = value; }, help);
}

CLI::Option* list_option(CLI::App& command, const std::shared_ptr<json>& body, const std::string& flags,
                         const std::string& member, const std::string& help) {
    return command.add_option_function<std::vector<std::string>>(
        flags, [body, member](const std::vector<std::string>& values) { (*body)[member] = values; }, help);
}

}  // namespace

void add_clusters(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("cluster", "Clusters of machines");
    group->require_subcommand(1);
    add_list(*group, context, "List clusters", "/api/cluster/",
             {column("NAME", "name"), column("STATUS", "status"), column("HEALTH", "health"),
              column("PROFILE", "boot_profile"), column("DESCRIPTION", "description"), column("ID", "id")});

    auto* adding = group->add_subcommand("add", "Add a cluster");
    const auto body = std::make_shared<json>(json::object());
    text_option(*adding, body, "NAME", "name", "its name")->required();
    text_option(*adding, body, "--description", "description", "for people");
    text_option(*adding, body, "--profile", "boot_profile", "boot profile of machines that name none");
    add_post(*adding, context, "/api/cluster/", body, "cluster", "name");
}

void add_pools(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("pool", "Pools of addresses, one per network");
    group->require_subcommand(1);
    add_list(
        *group, context, "List pools", "/api/ip-pools/",
        {column("CIDR", "cidr"), column("GATEWAY", "gateway"), column("FROM", "range_start"),
         column("TO", "range_end"), column("LEASE", "lease_seconds"), column("STRANGERS", "unknown_machines"),
         column("USED", "used"), column("FREE", "free"), column("GUESTS", "guests"), column("ID", "id")});

    auto* adding = group->add_subcommand("add", "Add a network's pool");
    const auto body = std::make_shared<json>(json::object());
    text_option(*adding, body, "CIDR", "cidr", "the network, such as 10.77.0.0/16")->required();
    text_option(*adding, body, "--gateway", "gateway", "its router");
    text_option(*adding, body, "--from", "range_start", "first address to give");
    text_option(*adding, body, "--to", "range_end", "last address to give");
    list_option(*adding, body, "--dns", "dns_servers", "resolvers");
    text_option(*adding, body, "--unknown", "unknown_machines",
                "ignore or serve machines that are not registered");
    text_option(*adding, body, "--mode", "mode", "server, or proxy beside another DHCP server");
    text_option(*adding, body, "--cidr6", "cidr6", "the IPv6 network on the same link, such as fd00:77::/64");
    list_option(*adding, body, "--dns6", "dns_servers6", "IPv6 resolvers");
    text_option(*adding, body, "--cluster", "cluster", "only this cluster's machines (name or id)");
    text_option(*adding, body, "--profile", "boot_profile", "boot profile of machines that name none");
    text_option(*adding, body, "--description", "description", "for people");
    number_option(*adding, body, "--lease-seconds", "lease_seconds", "life of a lease");
    number_option(*adding, body, "--guest-limit", "guest_limit",
                  "addresses that machines which are not registered may take");
    add_post(*adding, context, "/api/ip-pools/", body, "pool", "cidr");
}

void add_profiles(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("profile", "Boot profiles: what machines load");
    group->require_subcommand(1);
    add_list(*group, context, "List boot profiles", "/api/boot-profiles/",
             {column("NAME", "name"), column("KERNEL", "kernel"), column("INITRDS", "initrds"),
              column("LOADERS", "loaders"), column("CMDLINE", "cmdline"), column("ID", "id")});

    auto* adding = group->add_subcommand("add", "Add a boot profile");
    const auto body = std::make_shared<json>(json::object());
    text_option(*adding, body, "NAME", "name", "its name")->required();
    text_option(*adding, body, "--kernel", "kernel", "image of the kernel");
    list_option(*adding, body, "--initrd", "initrds", "images of ramdisks");
    text_option(*adding, body, "--cmdline", "cmdline", "the kernel's command line");
    text_option(*adding, body, "--description", "description", "for people");
    const auto set_loaders = [body](const std::vector<std::string>& pairs) {
        for (const auto& pair : pairs) {
            const auto equals = pair.find('=');
            if (equals == std::string::npos)
                throw CLI::ValidationError(
                    "--loader", "\"" + pair + "\" is not ARCHITECTURE=IMAGE, such as bios=undionly.kpxe");
            (*body)["loaders"][pair.substr(0, equals)] = pair.substr(equals + 1);
        }
    };
    adding->add_option_function<std::vector<std::string>>(
        "--loader", set_loaders, "ARCHITECTURE=IMAGE, such as bios=undionly.kpxe; may be repeated");
    add_post(*adding, context, "/api/boot-profiles/", body, "boot profile", "name");
}

}  // namespace rouse::cli
