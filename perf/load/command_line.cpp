#include "perf/load/command_line.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

namespace rouse::load {
namespace {

constexpr auto kDescription =
    "Simulates a rack of machines that lease addresses by DHCP, and measures the server that answers them.\n"
    "Works against any server; frames go out and come in by AF_XDP on the interface of --port.\n\n"
    "  rouse-load --port xdp:eth1 --machines 5000                             all at once, each once\n"
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
    double seconds = 10;
    double drain_seconds = 60;
};

void add_options(CLI::App& app, Command& command, Texts& texts) {
    auto& rack = command.rack;
    app.add_option("--port", command.port, "what carries the frames: xdp:<interface>")->required();
    app.add_option("--scenario", texts.scenario, "avalanche, rate or closed")->capture_default_str();
    app.add_option("--machines", rack.machines, "how many machines there are")
        ->check(CLI::Range(1U, 10'000'000U))
        ->capture_default_str();
    app.add_option("--first-mac", texts.first_mac, "hardware address of the first; the others' follow")
        ->capture_default_str();
    app.add_option("--kind", texts.kinds, "what they are, in turn: " + names_of_kinds())
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--rate", rack.scenario.per_second, "rate: exchanges that begin each second")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--outstanding", rack.scenario.outstanding, "closed: exchanges under way at any time")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    app.add_option("--seconds", texts.seconds, "rate, closed: how long exchanges begin")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--drain", texts.drain_seconds, "seconds to wait at the end for those under way")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--resend-after", rack.resend_after_ms,
                   "milliseconds until a message is resent, instead of what the kind of machine does");
    app.add_option("--seed", rack.seed, "of the machines' order and transaction numbers")
        ->capture_default_str();
    app.add_option("--cpu", command.cpu, "core to run on");
    app.add_option("--json", command.json, "file to write the result into");
    app.add_flag("--quiet", command.quiet, "no progress, no summary");
}

Result<void> apply(const Texts& texts, Command& command) {
    const auto scenario = parse_scenario(texts.scenario);
    if (!scenario) return tl::unexpected(scenario.error());
    command.rack.scenario.kind = *scenario;
    command.rack.scenario.duration_ns = static_cast<std::uint64_t>(texts.seconds * 1e9);
    command.drain_ns = static_cast<std::uint64_t>(texts.drain_seconds * 1e9);
    const auto mac = MacAddress::parse(texts.first_mac);
    if (!mac || mac->is_group())
        return fail("'" + texts.first_mac +
                    "' is no hardware address of a machine, such as 52:54:00:00:00:00");
    command.rack.first_mac = *mac;
    if (texts.kinds.size() > ResendQueue::kMaxKinds)
        return fail("at most " + std::to_string(ResendQueue::kMaxKinds) + " kinds of machine at a time");
    for (const auto& name : texts.kinds) {
        const auto kind = find_machine_kind(name);
        if (!kind) return tl::unexpected(kind.error());
        command.rack.kinds.push_back(*kind);
    }
    return {};
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
