#include "shared/config.hpp"

#include "shared/counters.hpp"
#include "shared/pci.hpp"
#include "shared/version.hpp"

#include <filesystem>
#include <sstream>

#include <CLI/CLI.hpp>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <toml++/toml.h>

namespace rouse {
namespace {

// CLI11 takes a `[section]` for a subcommand; here it is the first half of an option's dotted name. A real
// TOML parser reads the file, so its errors name line and column.
class TomlConfig : public CLI::ConfigBase {
  public:
    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
        std::vector<CLI::ConfigItem> found;
        try {
            flatten(toml::parse(input), "", found);
        } catch (const toml::parse_error& error) {
            std::ostringstream text;
            text << error;
            throw CLI::FileError("the configuration file is not TOML: " + text.str());
        }
        return found;
    }

  private:
    static void flatten(const toml::table& table, const std::string& prefix,
                        std::vector<CLI::ConfigItem>& found) {
        for (const auto& [key, node] : table) {
            const std::string name = prefix + std::string(key.str());
            if (const auto* inner = node.as_table()) {
                flatten(*inner, name + ".", found);
                continue;
            }
            CLI::ConfigItem item;
            item.name = name;
            if (const auto* array = node.as_array())
                for (const auto& element : *array) item.inputs.push_back(to_text(element));
            else
                item.inputs.push_back(to_text(node));
            found.push_back(std::move(item));
        }
    }
    static std::string to_text(const toml::node& node) {
        if (const auto* text = node.as_string()) return text->get();
        std::ostringstream out;
        node.visit([&out](const auto& value) { out << value; });
        return out.str();
    }
};

constexpr unsigned kLargestAllowList = 1U << 23;  // takes 256 MiB before the first machine is in it

constexpr unsigned kMostWorkers = kMaxWorkers;
constexpr unsigned kMostSessions = 1'048'576;  // 416 MiB of each worker
constexpr unsigned kFewestRingFrames = 64;
constexpr unsigned kMostRingFrames = 65'536;  // 256 MiB of each worker
const CLI::Validator kAutoIsZero(
    [](std::string& text) {
        if (text == "auto") text = "0";
        return std::string();
    },
    "auto");

// CLI11's way: what is wrong with TEXT, or nothing.
std::string check_port_range(const std::string& text) {
    constexpr std::uint16_t kLeast = 1024;    // below are services of the host's
    constexpr PortRange kProxyDhcp{4011, 1};  // is ours already
    const auto range = PortRange::parse(text);
    if (!range) return "'" + text + "' is not of the form 61440-65535";
    if (range->first < kLeast) return "ports below " + std::to_string(kLeast) + " belong to services";
    if (range->overlaps(kProxyDhcp)) return "port 4011 is proxyDHCP's";
    // Each worker needs some, and who guesses a transfer's port should rarely be right.
    constexpr std::uint16_t kFewest = 256;
    if (range->count < kFewest)
        return "there must be at least " + std::to_string(kFewest) + " ports in it, not " +
               std::to_string(range->count);
    return {};
}

// By OPTION as add_options() has it.
void add_dataplane_options(const auto& option, Config& config) {
    option("--dataplane.port", config.dataplane.port, "xdp:<interface>, dpdk:<EAL device> or auto:<either>");
    option("--dataplane.address", config.dataplane.address,
           "IPv4 address on the rack (default: the interface's); for dpdk with its prefix length, as in "
           "10.77.0.1/16");
    option("--dataplane.address6", config.dataplane.address6,
           "for dpdk: IPv6 address on the rack with its prefix length");
    option("--dataplane.host_interface", config.dataplane.host_interface,
           "for dpdk: name of the kernel's interface for all that the dataplane does not answer");
    option("--dataplane.dpdk_eal", config.dataplane.dpdk_eal, "for dpdk: more arguments for its EAL");
    option("--dataplane.workers", config.dataplane.workers,
           "one for each queue of the port; auto: as many as it has")
        ->transform(kAutoIsZero)
        ->check(CLI::Range(0U, kMostWorkers))
        ->default_str("auto");
    option("--dataplane.cores", config.dataplane.cores,
           "core of each worker, in the order of the queues (default: for one worker the kernel's choice)")
        ->delimiter(',');
    option("--dataplane.rest", config.dataplane.rest,
           "adaptive: a worker without work sleeps; never: it polls on at 100 % CPU")
        ->check(CLI::IsMember({"adaptive", "never"}));
    option("--dataplane.sessions", config.dataplane.sessions,
           "concurrent TFTP transfers of each worker, at 416 bytes each")
        ->check(CLI::Range(1U, kMostSessions));
    option("--dataplane.ring_frames", config.dataplane.ring_frames,
           "frames that can wait for each worker, and on their way out")
        ->check(CLI::Range(kFewestRingFrames, kMostRingFrames));
    option("--dataplane.tftp_ports", config.dataplane.tftp_ports,
           "single: TFTP leaves from port 69; per-transfer: each transfer from a port of its own")
        ->check(CLI::IsMember({"single", "per-transfer"}));
    option("--dataplane.tftp_port_range", config.dataplane.tftp_port_range,
           "ports of TFTP transfers that have their own")
        ->check(check_port_range);
    option("--dataplane.staging_mib", config.dataplane.staging_mib, "memory for images in MiB");
    option(
        "--dataplane.allow_list", config.dataplane.allow_list,
        "drop what unknown machines send beyond a trickle in the driver; false: let the worker see it all");
    option("--dataplane.allow_list_size", config.dataplane.allow_list_size,
           "machines, and addresses behind routers, that the allow-list can hold")
        ->check(CLI::Range(1U, kLargestAllowList));
    option("--dataplane.strangers_per_second", config.dataplane.strangers_per_second,
           "frames of all unknown machines together that reach the worker");
    option("--dataplane.guests_per_second", config.dataplane.guests_per_second,
           "likewise while a network serves unknown machines");
    option("--dataplane.router_advertisements", config.dataplane.router_advertisements,
           "answer IPv6 Router Solicitations, so that iPXE need not wait for a router");
    option("--dataplane.ipv6_boot", config.dataplane.ipv6_boot, "serve DHCPv6, and TFTP over IPv6");
    option("--dataplane.watch_servers", config.dataplane.watch_servers,
           "overhear other DHCP servers on the rack and tell of them");
}

// Of the API and its audit log, likewise.
void add_api_options(const auto& option, Config& config) {
    option("--api.listen", config.api.listen, "address:port of the API; plain HTTP on loopback only");
    option("--api.tls_certificate", config.api.tls_certificate,
           "PEM certificate chain: HTTPS, on any address");
    option("--api.tls_key", config.api.tls_key, "PEM private key of the certificate");
    option("--api.tls_client_ca", config.api.tls_client_ca,
           "PEM authorities of client certificates, to which tokens can be bound");
    option("--api.netns", config.api.netns, "network namespace of the management network (a path)");
    option("--api.access_token_seconds", config.api.access_token_seconds, "life of an access token");
    option("--api.refresh_token_seconds", config.api.refresh_token_seconds, "life of a refresh token");
    option("--api.token_key_days", config.api.token_key_days,
           "days until a new key signs the tokens; 0: when it is asked for");
    option("--api.max_body_mib", config.api.max_body_mib, "largest JSON body in MiB");
    option("--api.requests_per_second", config.api.requests_per_second,
           "of each client in the long run; 0: no limit");
    option("--api.requests_at_once", config.api.requests_at_once, "of each client that it may save up")
        ->check(CLI::Range(1U, 1'000'000'000U));
    option("--api.local_requests_per_second", config.api.local_requests_per_second,
           "of administrators, and of who needs no token, over loopback");
    option("--audit.days", config.audit.days, "days that the audit log is kept; 0: for ever")
        ->check(CLI::Range(0U, 36'500U));
    option("--audit.mib", config.audit.mib, "MiB of the audit log; beyond, its oldest entries go; 0: any");
}

void add_o2ims_options(const auto& option, Config& config) {
    option("--o2ims.profile", config.o2ims.profile,
           "interop: what clients take; strict: the standard's letter")
        ->check(CLI::IsMember({"interop", "strict"}));
    option("--o2ims.inventory_v2", config.o2ims.inventory_v2, "serve the inventory under /v2, too");
    option("--o2ims.ocloud_id", config.o2ims.ocloud_id,
           "UUID of the O-Cloud (default: made at the first start)");
    option("--o2ims.global_cloud_id", config.o2ims.global_cloud_id, "UUID that the SMO assigned to it");
    option("--o2ims.name", config.o2ims.name, "of the O-Cloud, for people");
    option("--o2ims.description", config.o2ims.description, "of the O-Cloud, for people");
    option("--o2ims.service_uri", config.o2ims.service_uri,
           "root of the API as the SMO reaches it (default: where it listens)");
    option("--o2ims.address", config.o2ims.address, "where the O-Cloud stands, for people");
    option("--o2ims.callback_hosts", config.o2ims.callback_hosts,
           "hosts that callbacks may name, .example.com for all below (default: any)");
    option("--o2ims.callback_http", config.o2ims.callback_http, "callbacks by plain http, too");
    option("--o2ims.callback_loopback", config.o2ims.callback_loopback, "callbacks on this machine, too");
    option("--o2ims.callback_link_local", config.o2ims.callback_link_local,
           "callbacks at link-local addresses, too");
    option("--o2ims.callback_test", config.o2ims.callback_test,
           "refuse a subscription whose callback does not answer a GET");
    option("--o2ims.callback_secret_file", config.o2ims.callback_secret_file,
           "file with the key that signs notifications (HMAC-SHA256)");
}

void add_smo_options(const auto& option, Config::O2ims::Smo& smo) {
    option("--o2ims.smo.url", smo.url, "where the O-Cloud registers (default: nowhere)");
    option("--o2ims.smo.form", smo.form, "of the registration: plain or starlingx")
        ->check(CLI::IsMember({"plain", "starlingx"}));
    option("--o2ims.smo.ca", smo.ca, "PEM certificates that sign the SMO's (default: the system's)");
    option("--o2ims.smo.certificate", smo.certificate, "PEM certificate of ours for the SMO's TLS");
    option("--o2ims.smo.key", smo.key, "its PEM private key");
    option("--o2ims.smo.token_url", smo.token_url, "OAuth2 token endpoint (default: no token is sent)");
    option("--o2ims.smo.client_id", smo.client_id, "for the token endpoint");
    option("--o2ims.smo.client_secret_file", smo.client_secret_file, "file with the client's secret");
    option("--o2ims.smo.scope", smo.scope, "to ask for at the token endpoint");
}

void add_worker_options(const auto& option, Config& config) {
    option("--worker.role", config.worker.role,
           "centre; worker: serves racks for another appliance, its centre")
        ->check(CLI::IsMember({"centre", "worker"}));
    option("--worker.id", config.worker.id, "name by which other appliances know it (default: the host's)");
    option("--worker.centre", config.worker.centre, "of a worker: URL of its centre's API");
    option("--worker.ca", config.worker.ca, "of a worker: PEM certificates that sign the centre's");
    option("--worker.enrolment_token_file", config.worker.enrolment_token_file,
           "of a worker: file with the token that it registers with");
    option("--worker.tenure_seconds", config.worker.tenure_seconds,
           "of a centre: for how long its workers give addresses without news of it")
        ->check(CLI::Range(60U, 31'536'000U));
}

void add_options(CLI::App& app, Config& config) {
    const auto option = [&app](const char* name, auto& value, const char* help) {
        return app.add_option(name, value, help)->capture_default_str();
    };
    option("--store.state_dir", config.store.state_dir, "directory of all that must survive");
    option("--store.run_dir", config.store.run_dir, "directory for shared memory (tmpfs)");
    option("--store.map_size_gib", config.store.map_size_gib, "address space of the store in GiB");
    add_dataplane_options(option, config);
    option("--rack.listen", config.rack.listen,
           "rack-side HTTP listener (default: the rack's address, port 80)");
    add_api_options(option, config);
    add_worker_options(option, config);
    add_o2ims_options(option, config);
    add_smo_options(option, config.o2ims.smo);
    app.add_option("--log.level", config.log.level, "trace, debug, info, warn or error")
        ->capture_default_str()
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
    app.add_option("--log.format", config.log.format, "text, or json: an object a line")
        ->capture_default_str()
        ->check(CLI::IsMember({"text", "json"}));
    app.add_option("--log.requests", config.log.requests, "level at which rouse-mgmt logs each request")
        ->capture_default_str()
        ->check(CLI::IsMember({"trace", "debug", "info"}));
}

}  // namespace

std::string Config::rack_interface(const std::string& sysfs) const {
    const std::string device = dataplane.port.substr(dataplane.port.find(':') + 1);
    const bool is_auto = dataplane.port.starts_with("auto:");
    if (const std::string kept = is_auto ? interface_of_kernels_device(device, sysfs) : ""; !kept.empty())
        return kept;
    const bool is_dpdk =
        dataplane.port.starts_with("dpdk:") || device.starts_with("net_") || is_pci_device(device);
    return is_dpdk ? dataplane.host_interface : device.substr(0, device.find(','));
}

std::variant<Config, int> parse_config(const std::string& program, const std::string& description, int argc,
                                       char** argv, const std::vector<ProgramOption>& more) {
    Config config;
    CLI::App app(description, program);
    app.config_formatter(std::make_shared<TomlConfig>());
    app.set_config("--config", "", "TOML file with any of these options");
    app.set_version_flag("--version", std::string(kVersion));
    app.allow_config_extras(CLI::config_extras_mode::error);
    add_options(app, config);
    for (const ProgramOption& option : more) {
        auto* added = std::holds_alternative<bool*>(option.value)
                          ? app.add_flag(option.name, *std::get<bool*>(option.value), option.help)
                          : app.add_option(option.name, *std::get<std::string*>(option.value), option.help);
        added->configurable(false);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    }
    return config;
}

Result<void> prepare_run_dir(const std::string& run_dir) {
    std::error_code error;
    std::filesystem::create_directories(run_dir, error);
    if (error) return fail("cannot create the run directory " + run_dir + ": " + error.message());
    std::filesystem::permissions(run_dir, std::filesystem::perms::owner_all, error);
    struct statfs status {};
    if (statfs(run_dir.c_str(), &status) != 0)
        return fail_errno("cannot examine the run directory " + run_dir);
    if (status.f_type != TMPFS_MAGIC)
        return fail("store.run_dir " + run_dir +
                    " is not on tmpfs, where writing it could stall the packet path; "
                    "choose a directory below /dev/shm or /run");
    return {};
}

}  // namespace rouse
