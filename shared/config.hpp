#pragma once
// The one configuration of both processes: a TOML file (--config) whose every key is also a flag. A key
// `listen` under `[api]` is `--api.listen`; flags win over the file. Unknown keys are errors.

#include "shared/port_range.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace rouse {

struct Config {
    struct Store {
        std::string state_dir = "/var/lib/rouse";  // lmdb/, images/, keys: survives everything
        std::string run_dir = "/dev/shm/rouse";    // counters and event rings; must be on tmpfs
        unsigned map_size_gib = 16;                // address space for the store, not disk
    } store;
    struct Dataplane {
        std::string port = "auto:rack0";  // xdp:<interface> | dpdk:<EAL device> | auto:<either>
        // The appliance's on the rack; empty: the interface's first IPv4 address. A dpdk port has no
        // interface to look at, so there both are said with their prefix lengths: "10.77.0.1/16",
        // "fd00:77::1/64".
        std::string address;
        std::string address6;
        std::string host_interface = "rouse0";  // of a dpdk port: the kernel's share of it
        std::string dpdk_eal;                   // more arguments for DPDK's EAL
        unsigned workers = 0;                   // one for each queue of the port; 0 (auto): as many as it has
        // Core of each worker, in the order of the queues; empty: for one worker the kernel's choice, for
        // several the last ones of those that the process may use.
        std::vector<unsigned> cores;
        // While there is nothing to do, "adaptive": a worker sleeps after a while of polling, whose length
        // follows what has paid. "never": it polls on, at 100 % CPU, for the lowest latency.
        std::string rest = "adaptive";
        // Concurrent TFTP transfers of each worker at most. Each takes 32 bytes of tables at once (4 MiB),
        // 256 bytes of state (the first 16 384 at once, 4 MiB; the others once they were needed) and 128 of
        // its file's name once it was needed: 52 MiB when ever so many ran at a time.
        unsigned sessions = 131'072;
        // Frames that can wait for each worker, at 2 KiB each; it takes as many for what it sends. 2048 last
        // 16 ms at 128 000 a second: that long a worker may be kept from its core without a loss.
        unsigned ring_frames = 2048;
        // "single": transfers leave from port 69, as requests come to it. "per-transfer": each from a port of
        // its own (RFC 1350 4), for clients or firewalls that insist; such a port is drawn from the range.
        std::string tftp_ports = "single";
        // Taken from the kernel while transfers use it, so not where the kernel gives ports to its own
        // programs (net.ipv4.ip_local_port_range). Workers have equal shares of it.
        std::string tftp_port_range = "61440-65535";
        unsigned staging_mib = 4096;  // memory for images' bytes
        // The XDP program drops what unknown machines send beyond a trickle. Off: all of it reaches the
        // worker, which serves them no more than before.
        bool allow_list = true;
        unsigned allow_list_size = 262'144;  // machines, and addresses behind routers, that it can hold
        // Frames of all unknown machines together that reach the worker; the second while some network
        // serves unknown machines.
        unsigned strangers_per_second = 2000;
        unsigned guests_per_second = 20'000;
        // Answers Router Solicitations, on networks without IPv6 with an advertisement that says just that:
        // else iPXE waits up to 16 s for a router. Off where another router on the rack must speak first.
        bool router_advertisements = true;
        bool ipv6_boot = true;  // DHCPv6, and TFTP over IPv6, on networks with an IPv6 prefix
        // Overhears what other DHCP servers on the rack broadcast to their clients, and tells of them. What
        // it hears is gone for the kernel: off where that bridges the rack to virtual machines of its own.
        bool watch_servers = true;
    } dataplane;
    struct Rack {
        std::string
            listen;  // address:port of the rack-side HTTP listener; empty: the rack's address, port 80
    } rack;
    struct Api {
        std::string listen = "127.0.0.1:30205";
        std::string tls_certificate;  // PEM chain; with tls_key: HTTPS, on any address
        std::string tls_key;          // its PEM private key
        // PEM of the authorities whose client certificates are believed; empty: none are asked for.
        std::string tls_client_ca;
        std::string netns;  // network namespace (a path) of the management network; empty: the process's own
        unsigned access_token_seconds = 900;
        unsigned refresh_token_seconds = 86400;
        unsigned token_key_days = 30;  // a key signs tokens for so long; 0: until another is asked for
        unsigned max_body_mib = 8;     // of a JSON body; images have no limit but the disk
        // Of each user or client, otherwise of each address: in the long run, and that may be saved up. 0
        // requests per second: no limit.
        unsigned requests_per_second = 2000;
        unsigned requests_at_once = 10'000;
        // Of administrators, and of who needs no token, over loopback.
        unsigned local_requests_per_second = 1'000'000;
    } api;
    struct Audit {
        unsigned days = 400;  // entries of the audit log are kept for so long; 0: for ever
        unsigned mib = 1024;  // and the oldest go when they take more than this; 0: any
    } audit;
    struct O2ims {
        std::string profile =
            "interop";  // "interop": what clients in the field take; "strict": the standard's letter
        bool inventory_v2 = true;     // the inventory is served under /v2, too
        std::string ocloud_id;        // UUID; empty: one that was made at the first start
        std::string global_cloud_id;  // UUID that the SMO assigned; empty: the O-Cloud's own
        std::string name = "rouse";
        std::string description = "Bare metal, provisioned by rouse";
        std::string service_uri;  // root of the API as the SMO reaches it; empty: where it listens
        std::string address;      // where the O-Cloud stands, for people
        // Hosts that callbacks of subscriptions may name, ".example.com" for all below; empty: any.
        std::vector<std::string> callback_hosts;
        bool callback_http = false;        // plain http, too
        bool callback_loopback = false;    // on this machine
        bool callback_link_local = false;  // 169.254.0.0/16, fe80::/10
        bool callback_test = false;        // a subscription is refused unless its callback answers a GET
        std::string callback_secret_file;  // what signs notifications (HMAC-SHA256); empty: nothing
        struct Smo {
            std::string url;                 // where the O-Cloud registers; empty: nowhere
            std::string form = "plain";      // of that: "plain" | "starlingx"
            std::string ca;                  // PEM that signs the SMO's certificate; empty: the system's
            std::string certificate, key;    // PEM of our own, for its TLS; both or none
            std::string token_url;           // OAuth2 token endpoint; empty: no token is sent
            std::string client_id;           // for that
            std::string client_secret_file;  // likewise
            std::string scope;               // likewise
        } smo;                               // registration, and what goes with every notification
    } o2ims;
    struct Log {
        std::string level = "info";      // trace, debug, info, warn, error
        std::string format = "text";     // "text" | "json": an object a line
        std::string requests = "debug";  // level at which rouse-mgmt logs each request that it answered
    } log;
    struct Worker {
        std::string role = "centre";  // "worker": this appliance serves racks for another one, its centre
        std::string id;               // by which others know it; empty: the host's name
        std::string centre;           // a worker's: URL of the centre's API
        std::string ca;  // a worker's: PEM certificates that sign the centre's; empty: the system's
        std::string enrolment_token_file;  // a worker's: what it registers with, once
        // A centre's: for how long a worker that hears nothing of it gives addresses on. So long may a worker
        // that was cut off and replaced still be serving, and no answer to its machines changes.
        unsigned tenure_seconds = 86400;

        [[nodiscard]] bool is_worker() const { return role == "worker"; }
    } worker;

    // Ports of TFTP transfers; none in single-port mode.
    [[nodiscard]] PortRange tftp_ports() const {
        return dataplane.tftp_ports == "single" ? PortRange{}
                                                : PortRange::parse(dataplane.tftp_port_range).value();
    }
    // dataplane.address without its prefix length.
    [[nodiscard]] std::string rack_address() const {
        return dataplane.address.substr(0, dataplane.address.find('/'));
    }
    // The kernel's interface on the rack. A device that DPDK drives (bound to VFIO, or made of software) is
    // none: there it is the host's share of it. SYSFS: for tests.
    [[nodiscard]] std::string rack_interface(const std::string& sysfs = "/sys") const;
    [[nodiscard]] std::string lmdb_dir() const { return store.state_dir + "/lmdb"; }
    [[nodiscard]] std::string images_dir() const { return store.state_dir + "/images/sha256"; }
};

// What one program alone can be told, on the command line and not in the file.
struct ProgramOption {
    std::string name;  // "--restore"
    std::string help;
    std::variant<std::string*, bool*> value;  // outlive the call; false stays false without the flag
};

// Either a configuration or the code that main() must exit with (--help, --version, a usage error: already
// printed).
[[nodiscard]] std::variant<Config, int> parse_config(const std::string& program,
                                                     const std::string& description, int argc, char** argv,
                                                     const std::vector<ProgramOption>& more = {});

// Makes the run directory (0700) and tells when it is not on tmpfs, where mapped pages could stall the
// worker.
[[nodiscard]] Result<void> prepare_run_dir(const std::string& run_dir);

}  // namespace rouse
