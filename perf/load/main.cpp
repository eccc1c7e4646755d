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

// Prints a line each second.
class Progress {
  public:
    explicit Progress(bool quiet) noexcept : quiet_(quiet) {}
    void look(std::uint64_t now_ns, const auto& rack) {
        if (quiet_ || now_ns < next_ns_) return;
        const Tally tally = rack.tally();
        if (next_ns_ != 0) std::fprintf(stderr, "%s\n", progress_line(tally, before_, 1.0).c_str());
        before_ = tally;
        next_ns_ = now_ns + kNanosPerSecond;
    }

  private:
    bool quiet_;
    std::uint64_t next_ns_ = 0;
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

Result<void> execute(const Command& command) {
    auto device = port::open_device(command.port, 1);
    if (!device) return tl::unexpected(device.error());
    if (auto pinned = run_on_core(command.cpu); !pinned) return pinned;
    const Tally tally = std::visit(
        [&](auto& opened) {
            if constexpr (requires { opened.program(); })
                ebpf::AllowList(opened.program())
                    .steer({.other_hosts = true, .own_address = opened.ports().front().hardware_address()});
            return run(opened.ports().front(), command);
        },
        *device);
    if (!command.quiet) std::fputs(summary(tally).c_str(), stdout);
    return command.json.empty() ? Result<void>{} : write_file(command.json, to_json(tally));
}

}  // namespace
}  // namespace rouse::load

int main(int argc, char** argv) {
    const auto parsed = rouse::load::parse_command_line(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    std::signal(SIGTERM, rouse::load::request_stop);
    std::signal(SIGINT, rouse::load::request_stop);
    if (const auto done = rouse::load::execute(std::get<rouse::load::Command>(parsed)); !done) {
        std::fprintf(stderr, "rouse-load: %s\n", done.error().message.c_str());
        return 1;
    }
    return 0;
}
