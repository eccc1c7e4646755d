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
void run(P& port, EchoOptions options) {
    options.self.mac = port.hardware_address();
    WorkerCounters counters;
    worker::Outbox<P> outbox(port, counters);
    // Rests as a worker does, so that both are measured alike.
    constexpr unsigned kIdleTurnsBeforeRest = 256;
    for (unsigned idle = 0; !stop_requested.load();) {
        std::array<port::Frame, port::kBurst> burst;
        const std::size_t received = port.receive(burst);
        for (std::size_t i = 0; i < received; ++i) {
            const auto room = outbox.room();
            const std::size_t length = room.empty() ? 0 : echo(burst[i].bytes(), options, room);
            if (length > 0) outbox.commit(length);
        }
        port.release(std::span(burst).first(received));
        outbox.flush();
        idle = received > 0 ? 0 : idle + 1;
        if (idle > kIdleTurnsBeforeRest) port.wait(50 * kNanosPerMilli, -1);
    }
}

std::optional<EchoOptions> parse(int argc, char** argv) {
    if (argc != 3 && argc != 4) return std::nullopt;
    EchoOptions options;
    const auto address = Ipv4Address::parse(argv[2]);
    if (!address) return std::nullopt;
    options.self.address = *address;
    const std::string_view blocks = argc == 4 ? argv[3] : "1";
    const char* const end = blocks.data() + blocks.size();
    const auto [stop, error] = std::from_chars(blocks.data(), end, options.blocks);
    if (error != std::errc{} || stop != end || options.blocks == 0) return std::nullopt;
    return options;
}

}  // namespace
}  // namespace rouse::load

int main(int argc, char** argv) {
    const auto options = rouse::load::parse(argc, argv);
    if (!options) {
        std::fputs(
            "Usage: rouse-echo <port, such as xdp:eth1> <its IPv4 address> [blocks of each file, 1 to "
            "65535]\n",
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
