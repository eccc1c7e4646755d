// rouse-echo: answers the DHCP and TFTP of rouse-load as fast as the port allows. What a server reaches is
// held against it.

#include "dataplane/port/open.hpp"
#include "dataplane/worker/outbox.hpp"
#include "perf/load/echo.hpp"
#include "shared/clock.hpp"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string_view>

namespace rouse::load {
namespace {

std::atomic<bool> stop_requested{false};

void request_stop(int) {
    stop_requested.store(true);
}

template <port::Port P>
void answer(wire::ConstBytes frame, const EchoOptions& options, worker::Outbox<P>& outbox) {
    for (std::uint16_t nth = 0;; ++nth) {
        const auto room = outbox.room();
        const std::size_t length = room.empty() ? 0 : echo(frame, options, nth, room);
        if (length == 0) return;
        outbox.commit(length);
    }
}

template <port::Port P>
void run(P& port, EchoOptions options) {
    options.self.mac = port.hardware_address();
    WorkerCounters counters;
    worker::Outbox<P> outbox(port, counters);
    // Rests as a worker does, so that both are measured alike.
    constexpr unsigned kIdleTurnsBeforeRest = 256;
    for (unsigned idle = 0; !stop_requested.load();) {
        std::array<port::Frame, port::kBurst> burst;
        const std::size_t received = port.receive(burst);
        for (std::size_t i = 0; i < received; ++i) answer(burst[i].bytes(), options, outbox);
        port.release(std::span(burst).first(received));
        outbox.flush();
        idle = received > 0 ? 0 : idle + 1;
        if (idle > kIdleTurnsBeforeRest) port.wait(50 * kNanosPerMilli, -1);
    }
}

bool parse_count(std::string_view text, std::uint16_t& count) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    return error == std::errc{} && stop == end && count > 0;
}

std::optional<EchoOptions> parse(int argc, char** argv) {
    if (argc < 3 || argc > 5) return std::nullopt;
    EchoOptions options;
    const auto address = Ipv4Address::parse(argv[2]);
    if (!address) return std::nullopt;
    options.self.address = *address;
    if (argc > 3 && !parse_count(argv[3], options.blocks)) return std::nullopt;
    if (argc > 4 && !parse_count(argv[4], options.window)) return std::nullopt;
    return options;
}

}  // namespace
}  // namespace rouse::load

int main(int argc, char** argv) {
    const auto options = rouse::load::parse(argc, argv);
    if (!options) {
        std::fputs(
            "Usage: rouse-echo <port, such as xdp:eth1> <its IPv4 address> [blocks of each file [window]]\n",
            stderr);
        return 2;
    }
    std::signal(SIGTERM, rouse::load::request_stop);
    std::signal(SIGINT, rouse::load::request_stop);
    auto device = rouse::port::open_device(argv[1], 1);
    if (!device) {
        std::fprintf(stderr, "rouse-echo: %s\n", device.error().message.c_str());
        return 1;
    }
    std::visit([&](auto& opened) { rouse::load::run(opened.ports().front(), *options); }, *device);
    return 0;
}
