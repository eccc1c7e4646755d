// The table of kinds, for people who look for how a resource is called on the command line.

#include "mgmt/cli/kind.hpp"
#include "mgmt/http/role.hpp"

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using enum ValueType;

constexpr unsigned operator|(Verb a, Verb b) {
    return static_cast<unsigned>(a) | static_cast<unsigned>(b);
}
constexpr unsigned operator|(unsigned a, Verb b) {
    return a | static_cast<unsigned>(b);
}

std::vector<std::string> machine_statuses() {
    return {"ACTIVE", "INACTIVE", "MAINTENANCE", "ERROR", "DEPLOYING", "UPGRADING", "UNREACHABLE"};
}

std::vector<std::string> healths() {
    return {"HEALTHY", "WARNING", "CRITICAL", "UNKNOWN"};
}

std::vector<std::string> cluster_statuses() {
    return {"OPERATIONAL", "DEGRADED", "CRITICAL", "MAINTENANCE", "SCALING", "UPGRADING", "UNKNOWN"};
}

// A list's cluster is shown by its name, which the command looks up.
const Member kOfCluster{"--cluster", "cluster", "name or id of its cluster", text, {}, "cluster"};

std::vector<std::string> role_names() {
    return {http::kRoleNames.begin(), http::kRoleNames.end()};
}

Kind machines() {
    return {
        .noun = "machine",
        .title = "machine",
        .schema = "Machine",
        .help = "Machines that the appliance serves",
        .path = "/api/machines/",
        .names = {"hostname", "mac", "ip"},
        .columns = {column("HOSTNAME", "hostname"), column("MAC", "mac"), column("IP", "ip"),
                    column("STATUS", "status"), column("HEALTH", "health"), column("ROLE", "role"),
                    column("CLUSTER", "cluster"), column("PROFILE", "boot_profile"),
                    wide_column("IP6", "ip6"), wide_column("OS", "os_type"),
                    wide_column("VERDICT", "verdict"), wide_column("UPDATED", "updated_at"),
                    wide_column("ID", "id")},
        .fields = {"hostname", "mac", "ip", "status", "health", "verdict", "role", "cluster", "boot_profile"},
        .members = {{"HOSTNAME", "hostname", "its name"},
                    {"MAC", "mac", "address of the interface it boots from"},
                    {"--ip", "ip", "its address (default: planned from a pool)"},
                    {"--ip6", "ip6", "its IPv6 address (default: planned, if its pool has an IPv6 network)"},
                    {"--profile", "boot_profile", "name of its boot profile", text, {}, "profile"},
                    kOfCluster,
                    {"--role", "role", "what it is for", text, {"MASTER", "WORKER", "STORAGE", "GATEWAY"}},
                    {"--os", "os_type", "what it runs", text, {"LINUX", "WINDOWS", "MACOS"}},
                    {"--cpu-cores", "cpu_cores", "as planned", number},
                    {"--quirk", "quirks", "what its firmware needs beyond the standards", list},
                    {"--status", "status", "followed by the appliance unless it is set", text,
                     machine_statuses()},
                    {"--health", "health", "followed by the appliance unless it is set", text, healths()}},
        .filters = {{"--cluster", "cluster", "only those of this cluster (name or id)", {}, "cluster"},
                    {"--status", "status", "only those with this status", machine_statuses()},
                    {"--profile", "boot_profile", "only those that name this boot profile", {}, "profile"}}};
}

Kind clusters() {
    return {
        .noun = "cluster",
        .title = "cluster",
        .schema = "Cluster",
        .help = "Clusters of machines",
        .path = "/api/cluster/",
        .names = {"name"},
        .columns = {column("NAME", "name"), column("STATUS", "status"), column("HEALTH", "health"),
                    column("PROFILE", "boot_profile"), column("SERVED BY", "served_by"),
                    column("DESCRIPTION", "description"), wide_column("WORKER", "worker"),
                    wide_column("STANDBY", "standby"), wide_column("ASSIGNMENT", "assignment"),
                    wide_column("UPDATED", "updated_at"), wide_column("ID", "id")},
        .fields = {"name", "status", "health", "boot_profile", "description", "worker", "standby",
                   "served_by", "assignment"},
        .members =
            {{"NAME", "name", "its name"},
             {"--description", "description", "for people"},
             {"--profile", "boot_profile", "boot profile of machines that name none", text, {}, "profile"},
             {"--status", "status", "followed by the appliance unless it is set", text, cluster_statuses()},
             {"--worker",
              "worker",
              "the worker that serves it (default: this appliance)",
              text,
              {},
              "worker"},
             {"--standby", "standby", "the worker that takes over when that one is lost", text, {}, "worker"},
             {"--automatic-return",
              "automatic_return",
              "true: a worker that is back gets it back by itself",
              boolean,
              {"true", "false"}}},
        .sent_by_id = true,
        .takes_along = "machine"};
}

Kind pools() {
    return {
        .noun = "pool",
        .title = "pool",
        .schema = "IpPool",
        .help = "Pools of addresses, one per network",
        .path = "/api/ip-pools/",
        .names = {"cidr"},
        .columns = {column("CIDR", "cidr"), column("GATEWAY", "gateway"), column("FROM", "range_start"),
                    column("TO", "range_end"), column("LEASE", "lease_seconds"),
                    column("STRANGERS", "unknown_machines"), column("USED", "used"), column("FREE", "free"),
                    column("GUESTS", "guests"), wide_column("MODE", "mode"), wide_column("CIDR6", "cidr6"),
                    wide_column("DNS", "dns_servers"), wide_column("CLUSTER", "cluster"),
                    wide_column("PROFILE", "boot_profile"), wide_column("DESCRIPTION", "description"),
                    wide_column("ID", "id")},
        .fields = {"cidr", "gateway", "range_start", "range_end", "capacity", "used", "free", "guests"},
        .members =
            {{"CIDR", "cidr", "the network, such as 10.77.0.0/16"},
             {"--gateway", "gateway", "its router"},
             {"--from", "range_start", "first address to give"},
             {"--to", "range_end", "last address to give"},
             {"--dns", "dns_servers", "resolvers", list},
             {"--unknown",
              "unknown_machines",
              "ignore or serve machines that are not registered",
              text,
              {"ignore", "serve"}},
             {"--mode", "mode", "server, or proxy beside another DHCP server", text, {"server", "proxy"}},
             {"--cidr6", "cidr6", "the IPv6 network on the same link, such as fd00:77::/64"},
             {"--dns6", "dns_servers6", "IPv6 resolvers", list},
             {"--router-lifetime6", "router_lifetime6", "seconds for which machines may route IPv6 by us",
              number},
             {"--mtu6", "mtu6", "MTU of the link, told in router advertisements", number},
             {"--cluster", "cluster", "only this cluster's machines (name or id)", text, {}, "cluster"},
             {"--profile", "boot_profile", "boot profile of machines that name none", text, {}, "profile"},
             {"--description", "description", "for people"},
             {"--lease-seconds", "lease_seconds", "life of a lease", number},
             {"--quarantine-seconds", "quarantine_seconds",
              "for how long an address is set aside that was found in use", number},
             {"--guest-limit", "guest_limit", "addresses that machines which are not registered may take",
              number}},
        .sent_by_id = true,
        .force = "take the addresses of its machines away"};
}

Kind leases() {
    return {.noun = "lease",
            .title = "lease",
            .schema = "Lease",
            .help = "Leases: who has which address",
            .path = "/api/leases/",
            .names = {"ip_address", "mac_address"},
            .columns = {column("ADDRESS", "ip_address"), column("MAC", "mac_address"),
                        column("HOSTNAME", "hostname"), column("STATE", "binding_state"),
                        column("SINCE", "lease_start"), column("UNTIL", "lease_end"),
                        column("LAST SEEN", "last_transaction"), wide_column("BOOTS", "bootfile_url"),
                        wide_column("POOL", "ip_pool"), wide_column("MACHINE", "machine")},
            .fields = {"ip_address", "mac_address", "hostname", "binding_state"},
            .filters = {{"--state",
                         "binding_state",
                         "only those in this state",
                         {"reserved", "offered", "active", "expired", "released", "abandoned"}},
                        {"--mac", "mac_address", "only this machine's"},
                        {"--pool", "ip_pool", "only this pool's (CIDR or id)", {}, "pool"}},
            .verbs = Verb::list | Verb::show | Verb::remove,
            .name_is_id = true};
}

Kind profiles() {
    return {
        .noun = "profile",
        .title = "boot profile",
        .schema = "BootProfile",
        .help = "Boot profiles: what machines load",
        .path = "/api/boot-profiles/",
        .names = {"name"},
        .columns = {column("NAME", "name"), column("KERNEL", "kernel"), column("INITRDS", "initrds"),
                    column("LOADERS", "loaders"), column("CMDLINE", "cmdline"),
                    wide_column("WARNINGS", "warnings"), wide_column("DESCRIPTION", "description"),
                    wide_column("ID", "id")},
        .fields = {"name", "kernel", "initrds", "loaders", "cmdline", "warnings"},
        .members = {
            {"NAME", "name", "its name"},
            {"--kernel", "kernel", "image of the kernel", text, {}, "image"},
            {"--initrd", "initrds", "images of ramdisks", list, {}, "image"},
            {"--cmdline", "cmdline", "the kernel's command line"},
            {"--loader", "loaders", "ARCHITECTURE=IMAGE, such as bios=undionly.kpxe; may be repeated", pairs},
            {"--template", "templates",
             "NAME=FILE: machines that ask for NAME get FILE with its variables filled in; may be "
             "repeated",
             files},
            {"--description", "description", "for people"}}};
}

Kind images() {
    const auto size = [](const nlohmann::json& image) {
        const auto found = image.find("size");
        return found != image.end() && found->is_number() ? human_size(found->get<double>())
                                                          : std::string("-");
    };
    return {.noun = "image",
            .title = "image",
            .schema = "Image",
            .help = "Files that machines load: loaders, kernels, ramdisks",
            .path = "/api/images/",
            .names = {"name"},
            .columns = {column("NAME", "name"), {"SIZE", size, true}, column("SHA-256", "sha256")},
            .fields = {"name", "size", "sha256"},
            .verbs = Verb::list | Verb::show | Verb::remove,
            .name_is_id = true};
}

Kind users() {
    return {.noun = "user",
            .title = "user",
            .schema = "User",
            .help = "People and programs that may log in",
            .path = "/api/users/",
            .names = {"username"},
            .columns = {column("USERNAME", "username"), column("ROLE", "role"), column("ALSO", "roles"),
                        column("SINCE", "created_at"), wide_column("UPDATED", "updated_at"),
                        wide_column("ID", "id")},
            .fields = {"username", "role", "roles"},
            .members = {{"USERNAME", "username", "the name to log in with"},
                        {"--role", "role", "what the user may do", text, role_names()},
                        {"--also", "roles", "further roles that the user holds", list, role_names()},
                        {"--password", "password", "asked for on the terminal", secret}}};
}

Kind oauth_clients() {
    return {.noun = "oauth",
            .title = "client",
            .schema = "OauthClient",
            .help = "Programs that get tokens of their own (OAuth2 client credentials)",
            .path = "/api/oauth-clients/",
            .names = {"client_id"},
            .columns = {column("CLIENT", "client_id"), column("ROLES", "roles"),
                        column("DESCRIPTION", "description"), column("SINCE", "created_at"),
                        wide_column("CERTIFICATE", "certificate_thumbprint"),
                        wide_column("UPDATED", "updated_at"), wide_column("ID", "id")},
            .fields = {"client_id", "roles", "description", "certificate_thumbprint"},
            .members = {{"CLIENT", "client_id", "what it says it is"},
                        {"--roles", "roles", "what it may do", list, role_names()},
                        {"--description", "description", "for people"},
                        {"--certificate", "certificate_thumbprint",
                         "SHA-256 in base64url of the certificate that it must come with (RFC 8705)"}}};
}

Kind strangers() {
    return {.noun = "stranger",
            .title = "stranger",
            .schema = "Stranger",
            .help = "Machines that asked to boot and are not registered",
            .path = "/api/strangers/",
            .names = {"mac"},
            .columns = {column("MAC", "mac"), column("VENDOR CLASS", "vendor_class"),
                        column("ARCHITECTURE", "architecture"), column("EVENTS", "events"),
                        column("FIRST SEEN", "first_seen"), column("LAST SEEN", "last_seen"),
                        column("REASON", "reason")},
            .fields = {"mac"},
            .verbs = static_cast<unsigned>(Verb::list)};
}

Kind audit() {
    return {.noun = "audit",
            .title = "log record",
            .schema = "AuditEntry",
            .help = "The audit log: who changed what, and who was refused",
            .path = "/api/audit/",
            .names = {"id"},
            .columns = {column("ID", "id"), column("TIME", "created_at"), column("EVENT", "event"),
                        column("USER", "user"), column("METHOD", "method"), column("PATH", "path"),
                        wide_column("ADDRESS", "address"), wide_column("KIND", "kind"),
                        wide_column("OBJECT", "object"), wide_column("ROLES", "roles"),
                        wide_column("STATUS", "status"), wide_column("REQUEST", "request_id")},
            .fields = {"created_at", "event", "user", "roles", "address", "method", "path", "kind", "object",
                       "before", "after"},
            .filters = {{"--user", "user", "only what this user or client did"},
                        {"--event",
                         "event",
                         "only these",
                         {"created", "changed", "deleted", "request", "refused", "login-failed"}},
                        {"--kind", "kind", "only of objects of this kind, such as machine"},
                        {"--object", "object", "only of the object with this id"},
                        {"--since", "since", "only from this moment on, such as 2026-11-20T12:00:00Z"},
                        {"--until", "until", "only before this moment"}},
            .verbs = Verb::list | Verb::show,
            .name_is_id = true};
}

Kind workers() {
    return {
        .noun = "worker",
        .title = "worker",
        .schema = "IMSWorker",
        .help = "Appliances that serve racks for this one",
        .path = "/api/ims-worker/",
        .names = {"worker_id"},
        .columns = {column("WORKER", "worker_id"), column("STATUS", "status"),
                    column("ADDRESS", "ip_address"), column("RACK ADDRESS", "rack_address"),
                    column("LAST HEARTBEAT", "last_heartbeat"), wide_column("REGISTERED", "registered_at"),
                    wide_column("CLUSTER", "cluster"), wide_column("ID", "id")},
        .fields = {"worker_id", "status", "ip_address", "rack_address", "last_heartbeat", "racks"},
        .members = {{"WORKER_ID", "worker_id", "the name by which it registers"},
                    {"--ip-address", "ip_address", "by which it is reached"},
                    {"--rack-address", "rack_address", "its own on the rack, which no machine may have"},
                    kOfCluster},
        .filters = {{"--status", "status", "only those with this status", {"active", "inactive", "error"}}}};
}

Kind service(const std::string& noun, const std::string& title, const std::string& schema,
             std::vector<Member> more) {
    Kind made{.noun = noun,
              .title = "configuration of " + title,
              .schema = schema,
              .help = title + " as a whole; changes act at once",
              .path = "/api/" + noun + "/",
              .fields = {"enabled"},
              .members = {{"--enabled", "enabled", "false: silent at once", boolean, {"true", "false"}}},
              .verbs = Verb::show | Verb::set,
              .single = true};
    for (Member& member : more) made.members.push_back(std::move(member));
    return made;
}

}  // namespace

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = {
        machines(),
        clusters(),
        pools(),
        leases(),
        profiles(),
        images(),
        users(),
        oauth_clients(),
        strangers(),
        workers(),
        audit(),
        service(
            "dhcp-config", "DHCP", "DhcpConfig",
            {{"--mode", "mode", "server, or proxy beside another DHCP server", text, {"server", "proxy"}}}),
        service("tftp-config", "TFTP", "TftpConfig",
                {{"--block-size", "block_size", "largest block that is agreed to", number}})};
    return all;
}

}  // namespace rouse::cli
