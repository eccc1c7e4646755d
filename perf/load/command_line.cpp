#include "perf/load/command_line.hpp"

#include <cstdio>
#include <limits>
#include <utility>

#include <CLI/CLI.hpp>

namespace rouse::load {
namespace {

constexpr auto kDescription =
    "Simulates a rack of machines that lease addresses by DHCP and fetch their files by TFTP, and measures\n"
    "the server that answers them. Works against any server; frames go out and come in by AF_XDP on the\n"
    "interface of --port, which meanwhile hears no broadcasts for this host, or by DPDK. A physical "
    "interface\n"
    "must be promiscuous: the machines have hardware addresses of their own.\n\n"
    "  rouse-load --port xdp:eth1 --machines 5000                             all at once, each once\n"
    "  rouse-load --port xdp:eth1 --machines 200 --kind edk2 --file ipxe.efi  and fetch a loader\n"
    "  rouse-load --port dpdk:0000:03:00.0 --machines 100000                  by a card bound to VFIO\n"
    "  rouse-load --port xdp:eth1 --scenario rate --rate 2000 --seconds 30    2000 begin each second\n"
    "  rouse-load --port xdp:eth1 --scenario closed --outstanding 100         100 under way at any time";

std::string names_of_kinds() {
    std::string names;
    for (const auto& kind : machine_kinds()) names += (names.empty() ? "" : ", ") + std::string(kind.name);
    return names;
}

struct Texts {
    std::string scenario = "avalanche";
    std::string first_mac = "52:54:00:00:00:00";
    std::vector<std::string> kinds{"ipxe-bios"};
    std::vector<std::string> files;
    std::string address_base;
    std::string server;
    std::uint16_t block_size = 0;
    std::uint16_t window = 0;
    bool no_verify = false;
    double seconds = 10;
    double drain_seconds = 60;
};

void add_rack_options(CLI::App& app, RackOptions& rack, Texts& texts) {
    app.add_option("--machines", rack.machines, "how many machines there are")
        ->check(CLI::Range(1U, 10'000'000U))
        ->capture_default_str();
    app.add_option("--first-mac", texts.first_mac, "hardware address of the first; the others' follow")
        ->capture_default_str();
    app.add_option("--kind", texts.kinds,
                   "what they are, in turn: " + names_of_kinds() +
                       ". In edk2-shim-grub, rom-pxelinux and rom-ipxe the first files are the loaders, each "
                       "of which goes on as it does: rom-ipxe leases anew")
        ->delimiter(',')
        ->capture_default_str();
    app.add_flag("--realistic", rack.is_realistic,
                 "wait where the real ones do although nothing is to come: EDK2 collects offers for 3.6 s");
    app.add_option("--address-base", texts.address_base,
                   "IPv4 address of the first, the others' follow: no DHCP; needs --server");
    app.add_option("--server", texts.server, "of TFTP, instead of what DHCP says");
    app.add_option("--seed", rack.seed, "of all that is random")->capture_default_str();
}

void add_scenario_options(CLI::App& app, RackOptions& rack, Texts& texts) {
    app.add_option("--scenario", texts.scenario, "avalanche, rate, ramp, poisson or closed")
        ->capture_default_str();
    app.add_option("--rate", rack.scenario.per_second,
                   "rate, poisson: machines that begin each second; ramp: at its end")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--outstanding", rack.scenario.outstanding, "closed: machines under way at any time")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    app.add_option("--seconds", texts.seconds, "all but avalanche: how long machines begin")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--drain", texts.drain_seconds, "seconds to wait at the end for those under way")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--resend-after", rack.resend_after_ms,
                   "milliseconds until a message is resent, instead of what the kind of machine does");
    const CLI::Range share(0.0, 1.0);
    app.add_option("--drop-received", rack.drop_received, "lose this share of frames on the way in")
        ->check(share);
    app.add_option("--drop-sent", rack.drop_sent, "lose this share of frames on the way out")->check(share);
    app.add_option("--vanish", rack.vanish, "this share of machines falls silent in its first file")
        ->check(share);
    app.add_option("--abort", rack.abort, "this share breaks its first file off with an ERROR")->check(share);
}

void add_file_options(CLI::App& app, Texts& texts) {
    app.add_option(
        "--file", texts.files,
        "what each machine fetches by TFTP, in order: NAME, or NAME=PATH to compare it with a file "
        "of this host; else all copies must be equal to the first");
    app.add_option("--block-size", texts.block_size, "asked for, instead of what the kind asks for")
        ->check(CLI::Range(wire::tftp::kMinBlockSize, std::uint16_t{1468}));
    app.add_option("--window", texts.window, "likewise, blocks (RFC 7440)")
        ->check(CLI::Range(std::uint16_t{1}, std::uint16_t{65535}));
    app.add_flag("--no-verify", texts.no_verify, "any bytes are good, for servers that make them up");
}

void add_options(CLI::App& app, Command& command, Texts& texts) {
    app.add_option("--port", command.port,
                   "what carries the frames: xdp:<interface>, dpdk:<EAL device> (made promiscuous) or "
                   "auto:<either>")
        ->required();
    add_rack_options(app, command.rack, texts);
    add_scenario_options(app, command.rack, texts);
    add_file_options(app, texts);
    app.add_option("--cpu", command.cpu, "core to run on");
    app.add_option("--json", command.json, "file to write the result into");
    app.add_flag("--quiet", command.quiet, "no progress, no summary");
    app.add_flag("--allow-failures", command.allows_failures,
                 "exit 0 whatever became of the machines, for a server that is not meant to cope");
    app.footer(
        "Exit status: 0 when all machines are up (avalanche; those that leave by --vanish and --abort aside) "
        "or\n"
        "anything was served (other scenarios, which measure how much); 3 when not, unless "
        "--allow-failures;\n"
        "2 for a wrong option; 1 when it cannot run at all.");
}

Result<void> apply_addresses(const Texts& texts, RackOptions& rack) {
    const auto mac = MacAddress::parse(texts.first_mac);
    if (!mac || mac->is_group())
        return fail("'" + texts.first_mac +
                    "' is no hardware address of a machine, such as 52:54:00:00:00:00");
    rack.first_mac = *mac;
    for (const auto& [text, address] :
         {std::pair(&texts.address_base, &rack.address_base), std::pair(&texts.server, &rack.server)}) {
        if (text->empty()) continue;
        const auto parsed = Ipv4Address::parse(*text);
        if (!parsed) return fail("'" + *text + "' is no IPv4 address");
        *address = *parsed;
    }
    if (!rack.address_base.is_zero() && rack.server.is_zero())
        return fail("machines without DHCP are not told where the files are: give --server too");
    if (!rack.address_base.is_zero() && texts.files.empty())
        return fail("machines without DHCP and without a --file have nothing to do");
    return {};
}

Result<void> apply_kinds(const Texts& texts, RackOptions& rack) {
    for (const auto& name : texts.kinds) {
        const auto kind = find_machine_kind(name);
        if (!kind) return tl::unexpected(kind.error());
        if (!(*kind)->has_tftp && !texts.files.empty())
            return fail("machines of kind '" + name +
                        "' fetch nothing by TFTP, and rouse-load speaks no HTTP: leave --file out, and their "
                        "leases are measured");
        if (const unsigned loads = (*kind)->loads(); loads > texts.files.size() && !texts.files.empty())
            return fail("machines of kind '" + name + "' load " + std::to_string(loads) +
                        " programs, one after the other: give each as a --file, and then what the last one "
                        "fetches");
        rack.kinds.push_back(*kind);
    }
    if (constexpr std::size_t kMost = std::numeric_limits<decltype(Machine::fetched)>::max();
        texts.files.size() > kMost)
        return fail("a machine fetches " + std::to_string(kMost) + " files at most, not " +
                    std::to_string(texts.files.size()));
    for (const auto& text : texts.files) {
        auto file = parse_boot_file(text);
        if (!file) return tl::unexpected(file.error());
        rack.files.push_back(std::move(*file));
    }
    if (texts.block_size != 0) rack.ask.block_size = texts.block_size;
    if (texts.window != 0) rack.ask.window_size = texts.window;
    rack.verifies = !texts.no_verify;
    return {};
}

Result<void> apply(const Texts& texts, Command& command) {
    const auto scenario = parse_scenario(texts.scenario);
    if (!scenario) return tl::unexpected(scenario.error());
    command.rack.scenario.kind = *scenario;
    command.rack.scenario.duration_ns = static_cast<std::uint64_t>(texts.seconds * 1e9);
    command.drain_ns = static_cast<std::uint64_t>(texts.drain_seconds * 1e9);
    if (command.rack.vanish + command.rack.abort > 1)
        return fail("--vanish and --abort are shares of all machines: together at most 1");
    if (auto applied = apply_addresses(texts, command.rack); !applied) return applied;
    return apply_kinds(texts, command.rack);
}

}  // namespace

std::variant<Command, int> parse_command_line(int argc, char** argv) {
    Command command;
    Texts texts;
    CLI::App app(kDescription, "rouse-load");
    add_options(app, command, texts);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    }
    if (const auto applied = apply(texts, command); !applied) {
        std::fprintf(stderr, "rouse-load: %s\n", applied.error().message.c_str());
        return 2;
    }
    return command;
}

}  // namespace rouse::load
