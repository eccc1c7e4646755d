// rouse-storm: a boot storm as the management plane sees it. Writes the events of many booting machines into
// the dataplane's event ring, in its place, and measures when they have reached followers of /api/events/.
// Prints one JSON object.

#include "perf/storm/client.hpp"
#include "shared/client_kind.hpp"
#include "shared/clock.hpp"
#include "shared/event_ring.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace {

using rouse::Event;
using rouse::EventKind;

struct Options {
    std::string run_dir;
    std::uint16_t port = 0;
    std::string token;
    std::string query = "?kind=timeline";
    std::string first_mac;
    unsigned machines = 5000;
    unsigned per_second = 4;  // of each machine
    unsigned seconds = 10;
    unsigned clients = 20;
};

// What a machine's boot tells, again and again.
constexpr EventKind kBoot[] = {EventKind::dhcp_discover, EventKind::dhcp_offer,   EventKind::dhcp_request,
                               EventKind::dhcp_ack,      EventKind::tftp_request, EventKind::tftp_complete,
                               EventKind::tftp_request,  EventKind::tftp_complete};

struct Generated {
    std::uint64_t pushed = 0;
    std::uint64_t lost = 0;
};

// Spreads the machines evenly over time: a few each millisecond.
Generated generate(const Options& options, rouse::MacAddress first) {
    auto ring = rouse::open_event_ring(options.run_dir, 0);
    if (!ring) throw std::runtime_error(ring.error().message);
    rouse::EventProducer producer(**ring);
    Generated out;
    const std::uint64_t began = rouse::monotonic_ns();
    const std::uint64_t wanted = std::uint64_t{options.machines} * options.per_second * options.seconds;
    for (std::uint64_t n = 0; n < wanted; ++n) {
        const std::uint64_t due =
            began + n * rouse::kNanosPerSecond / (options.machines * options.per_second);
        while (rouse::monotonic_ns() < due) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        Event event;
        event.kind = kBoot[n / options.machines % std::size(kBoot)];
        event.mac = first;
        const auto number = static_cast<std::uint32_t>(n % options.machines);
        event.mac.octets[4] = static_cast<std::uint8_t>(number >> 8);
        event.mac.octets[5] = static_cast<std::uint8_t>(number);
        const bool asks = event.kind == EventKind::dhcp_discover || event.kind == EventKind::dhcp_request;
        event.set_text(asks ? "PXEClient:Arch:00007:UNDI:003016" : "ipxe.efi");
        if (asks) event.detail = static_cast<std::uint16_t>(rouse::ClientKind::pxe);
        event.bytes = 1'000'000;
        event.duration_ns = 100 * rouse::kNanosPerMilli;
        ++(producer.push(event, rouse::realtime_ns()) ? out.pushed : out.lost);
    }
    return out;
}

nlohmann::json summary(const Generated& generated,
                       std::vector<std::unique_ptr<rouse::storm::Client>>& clients) {
    std::vector<std::uint32_t> delays;
    std::uint64_t merged = 0;
    std::uint64_t catch_ups = 0;
    std::uint64_t bytes = 0;
    std::size_t fewest = SIZE_MAX;
    for (const auto& client : clients) {
        delays.insert(delays.end(), client->delays_ms().begin(), client->delays_ms().end());
        fewest = std::min(fewest, client->delays_ms().size());
        merged += client->merged();
        catch_ups += client->catch_ups();
        bytes += client->bytes();
    }
    std::sort(delays.begin(), delays.end());
    const auto at = [&delays](double part) {
        return delays.empty()
                   ? 0
                   : delays[static_cast<std::size_t>(part * static_cast<double>(delays.size() - 1))];
    };
    return {{"events", generated.pushed},
            {"events_lost", generated.lost},
            {"entries_received", delays.size()},
            {"fewest_received", fewest},
            {"merged", merged},
            {"catch_ups", catch_ups},
            {"bytes", bytes},
            {"delay_ms",
             {{"p50", at(0.5)}, {"p90", at(0.9)}, {"p99", at(0.99)}, {"p999", at(0.999)}, {"max", at(1)}}}};
}

int run(const Options& options) {
    const auto first = rouse::MacAddress::parse(options.first_mac);
    if (!first) throw std::runtime_error("--first-mac must be a hardware address");
    std::vector<std::unique_ptr<rouse::storm::Client>> clients;
    std::vector<std::thread> readers;
    for (unsigned i = 0; i < options.clients; ++i) {
        clients.push_back(std::make_unique<rouse::storm::Client>(options.port, options.token, options.query));
        readers.emplace_back([client = clients.back().get()] { client->run(); });
    }
    const Generated generated = generate(options, *first);
    // What is under way arrives, or counts as missing.
    std::this_thread::sleep_for(std::chrono::seconds(3));
    for (const auto& client : clients) client->stop();
    for (auto& reader : readers) reader.join();
    std::puts(summary(generated, clients).dump().c_str());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("A boot storm's events, and how long they take to followers of /api/events/", "rouse-storm");
    app.add_option("--run-dir", options.run_dir, "the appliance's store.run_dir; no dataplane may run")
        ->required();
    app.add_option("--port", options.port, "of the API on 127.0.0.1, plain HTTP")->required();
    app.add_option("--token", options.token, "an access token")->required();
    app.add_option("--query", options.query, "what the followers ask for")->capture_default_str();
    app.add_option("--first-mac", options.first_mac, "of the machines, which are registered")->required();
    app.add_option("--machines", options.machines, "how many; the last two octets count")
        ->capture_default_str();
    app.add_option("--rate", options.per_second, "events of each machine a second")->capture_default_str();
    app.add_option("--seconds", options.seconds, "how long")->capture_default_str();
    app.add_option("--clients", options.clients, "followers")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rouse-storm: %s\n", error.what());
        return 1;
    }
}
