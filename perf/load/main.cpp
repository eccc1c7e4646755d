// rouse-load: a rack of thousands of simulated machines, to measure a netboot server with.

#include "dataplane/port/open.hpp"
#include "ebpf/allow_list.hpp"
#include "perf/load/command_line.hpp"
#include "perf/load/report.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>

#include <sched.h>

namespace rouse::load {
namespace {

std::atomic<bool> stop_requested{false};

void request_stop(int) {
    stop_requested.store(true);
}

Result<void> run_on_core(int cpu) {
    if (cpu < 0) return {};
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<unsigned>(cpu), &cpus);
    if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0)
        return fail_errno("cannot run on core " + std::to_string(cpu) + " (--cpu)");
    return {};
}

// Prints a line each second, or as soon after it as a busy machine lets it.
class Progress {
  public:
    explicit Progress(bool quiet) noexcept : quiet_(quiet) {}
    void look(std::uint64_t now_ns, const auto& rack) {
        if (quiet_ || now_ns < next_ns_) return;
        const Tally tally = rack.tally();
        if (next_ns_ != 0)
            std::fprintf(
                stderr, "%s\n",
                progress_line(tally, before_, static_cast<double>(now_ns - before_ns_) / 1e9).c_str());
        before_ = tally;
        before_ns_ = now_ns;
        next_ns_ = now_ns + kNanosPerSecond;
    }

  private:
    bool quiet_;
    std::uint64_t next_ns_ = 0;
    std::uint64_t before_ns_ = 0;
    Tally before_;
};

template <port::Port P>
Tally run(P& port, const Command& command) {
    Rack<P> rack(port, command.rack, monotonic_ns());
    Progress progress(command.quiet);
    std::uint64_t over_ns = 0;
    for (std::uint64_t now = monotonic_ns(); !stop_requested.load(); now = monotonic_ns()) {
        rack.turn(now);
        progress.look(now, rack);
        if (!rack.is_over(now)) continue;
        if (over_ns == 0) over_ns = now;
        if (rack.is_done(now) || now - over_ns >= command.drain_ns) break;
    }
    const Tally tally = rack.tally();
    rack.break_off_all();
    return tally;
}

Result<void> write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text << '\n';
    file.close();
    if (!file) return fail_errno("cannot write " + path);
    return {};
}

// What became of the machines; an error when it could not run at all.
Result<Tally> execute(const Command& command) {
    const auto report = [](const std::string& text) {
        std::fprintf(stderr, "rouse-load: %s\n", text.c_str());
    };
    auto device = port::open_device(command.port, 1, {}, {.report = report, .promiscuous = true});
    if (!device) return tl::unexpected(device.error());
    if (auto pinned = run_on_core(command.cpu); !pinned) return tl::unexpected(pinned.error());
    const Tally tally = std::visit(
        [&](auto& opened) {
            if constexpr (requires { opened.program(); })
                ebpf::AllowList(opened.program())
                    .steer({.other_hosts = true, .own_address = opened.ports().front().hardware_address()});
            return run(opened.ports().front(), command);
        },
        *device);
    if (!command.quiet) std::fputs(summary(tally).c_str(), stdout);
    if (!command.json.empty())
        if (auto written = write_file(command.json, to_json(tally)); !written)
            return tl::unexpected(written.error());
    return tally;
}

int exit_code(const Command& command) {
    constexpr int kCannotRun = 1;
    constexpr int kNotAllUp = 3;
    const auto complain = [](const Error& error) {
        std::fprintf(stderr, "rouse-load: %s\n", error.message.c_str());
    };
    const auto tally = execute(command);
    if (!tally) {
        complain(tally.error());
        return kCannotRun;
    }
    const auto verdict = judge(*tally, command.rack.scenario.kind, command.rack.machines);
    if (verdict || command.allows_failures) return 0;
    complain(verdict.error());
    return kNotAllUp;
}

}  // namespace
}  // namespace rouse::load

int main(int argc, char** argv) {
    const auto parsed = rouse::load::parse_command_line(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    std::signal(SIGTERM, rouse::load::request_stop);
    std::signal(SIGINT, rouse::load::request_stop);
    return rouse::load::exit_code(std::get<rouse::load::Command>(parsed));
}
