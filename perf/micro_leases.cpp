// How many new guests' leases a second become durable, from the dataplane's event ring to the disk, against
// the limits: what the disk syncs, and what LMDB commits of the same records with nothing decided about them.
// Runs in a directory of its own below $ROUSE_BENCH_DIR or the current one, which must be on a real disk.

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/events/consumer.hpp"
#include "mgmt/store/documents.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse {
namespace {

using namespace store;  // NOLINT(google-build-using-namespace)

// Of one burst of strangers; as many as one commit takes of the ring.
constexpr std::uint32_t kBurst = 2048;

template <typename T>
auto must(T result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<typename T::value_type>) return std::move(*result);
}

class Directory {
  public:
    explicit Directory(const std::string& parent) {
        std::string pattern = parent + "/rouse-bench-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("cannot make a directory in " + parent);
        path = pattern;
    }
    static Directory on_disk() {
        const char* chosen = std::getenv("ROUSE_BENCH_DIR");
        return Directory(chosen != nullptr ? chosen : std::filesystem::current_path().string());
    }
    ~Directory() { std::filesystem::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string path;
};

// A well-mixed sequence without repetitions: hardware addresses of made-up machines.
MacAddress mac_of(std::uint32_t n) {
    const std::uint32_t mixed = n * 2654435761U;
    return {{0x52, 0x54, static_cast<std::uint8_t>(mixed >> 24), static_cast<std::uint8_t>(mixed >> 16),
             static_cast<std::uint8_t>(mixed >> 8), static_cast<std::uint8_t>(mixed)}};
}

// The management plane from the ring down, with one large network that serves strangers.
struct Plane {
    Directory disk = Directory::on_disk();
    Directory memory{"/dev/shm"};
    std::unique_ptr<Store> store = must(Store::open(disk.path, std::size_t{16} << 30));
    Writer writer{*store};
    boot::Appliance appliance{*Ipv4Address::parse("10.0.0.1")};
    std::unique_ptr<events::Consumer> consumer =
        must(events::Consumer::create(writer, appliance, memory.path));
    SharedMemory<EventRingLayout> ring = must(open_event_ring(memory.path, 0));
    EventProducer producer{*ring};
    std::uint32_t machines = 0;

    Plane() {
        must(writer.run([](Batch& batch) -> Outcome<Document> {
            nlohmann::json fields{{"cidr", "10.0.0.0/8"},
                                  {"unknown_machines", "serve"},
                                  {"guest_limit", 16'000'000},
                                  {"lease_seconds", 3600},
                                  {"_network", 1}};
            if (auto checked = boot::check_pool(batch, fields, std::nullopt); !checked)
                return pass_on(checked.error());
            auto made = insert(batch, kIpPools, fields);
            if (made)
                if (auto projected = boot::project_pool(batch, *made); !projected)
                    return pass_on(projected.error());
            return made;
        }));
        must(consumer->turn());
    }
    void tell(EventKind kind, const MacAddress& mac, Ipv4Address address, std::uint64_t seconds = 0) {
        Event event;
        event.kind = kind;
        event.mac = mac;
        event.address = address;
        event.time_ns = realtime_ns();
        event.duration_ns = seconds * kNanosPerSecond;
        if (!producer.push(event)) throw std::runtime_error("the ring is full");
    }
    void drain() {
        while (must(consumer->turn()) != 0) {
        }
    }
    // Also what follows an OFFER.
    void complete(std::uint32_t first) {
        const auto snapshot = must(store->snapshot());
        for (std::uint32_t i = first; i < machines; ++i) {
            const auto host = must(snapshot.record<HostRecord>(snapshot.tables().hosts, bytes_of(mac_of(i))));
            if (!host) throw std::runtime_error("a machine got no lease");
            for (const EventKind kind : {EventKind::dhcp_offer, EventKind::dhcp_request})
                tell(kind, mac_of(i), host->address);
            tell(EventKind::dhcp_ack, mac_of(i), host->address, kOfferSeconds);
        }
    }
};

void new_leases(benchmark::State& state, bool complete) {
    Plane plane;
    for (auto _ : state) {
        const std::uint32_t first = plane.machines;
        for (std::uint32_t i = 0; i < kBurst; ++i)
            plane.tell(EventKind::dhcp_lease_wanted, mac_of(plane.machines++), plane.appliance.address());
        plane.drain();
        if (complete) plane.complete(first);
        plane.drain();
    }
    const auto counts = must(boot::lease_counts(must(plane.store->snapshot()), 1));
    if (counts.guests != plane.machines) state.SkipWithError("leases are missing");
    state.SetItemsProcessed(static_cast<std::int64_t>(plane.machines));
    state.counters["commits"] = static_cast<double>(plane.writer.statistics().commits.load());
}
// From the wish to the OFFER; and the whole of DISCOVER, OFFER, REQUEST, ACK, whose lease is extended.
void offers(benchmark::State& state) {
    new_leases(state, false);
}
void leases(benchmark::State& state) {
    new_leases(state, true);
}

// One stranger at a time: what its OFFER waits for.
void lone_offer(benchmark::State& state) {
    Plane plane;
    for (auto _ : state) {
        plane.tell(EventKind::dhcp_lease_wanted, mac_of(plane.machines++), plane.appliance.address());
        plane.drain();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(plane.machines));
}

// The limits.
void disk_syncs(benchmark::State& state) {
    const Directory disk = Directory::on_disk();
    const int file = ::open((disk.path + "/file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> page(4096, 'x');
    for (auto _ : state)
        if (::pwrite(file, page.data(), page.size(), 0) < 0 || ::fdatasync(file) != 0)
            state.SkipWithError("cannot sync");
    ::close(file);
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
void lmdb_records(benchmark::State& state) {
    const Directory disk = Directory::on_disk();
    auto environment = must(
        Environment::open(disk.path, {.access = Access::read_write, .map_bytes = std::size_t{16} << 30}));
    auto setup = must(environment.begin(Access::read_write));
    const Tables tables = must(Tables::open(setup, true));
    must(setup.commit());
    std::uint32_t n = 0;
    for (auto _ : state) {
        auto txn = must(environment.begin(Access::read_write));
        for (std::uint32_t i = 0; i < kBurst; ++i, ++n) {
            must(txn.put(tables.hosts, bytes_of(mac_of(n)), bytes_of(HostRecord{})));
            const auto address = Ipv4Address::from_host(0x0affffffU - n);
            must(txn.put(tables.leases, bytes_of(address), bytes_of(LeaseRecord{})));
        }
        must(txn.commit());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(n));
}

BENCHMARK(disk_syncs)->UseRealTime();
BENCHMARK(lmdb_records)->UseRealTime();
BENCHMARK(lone_offer)->UseRealTime();
BENCHMARK(offers)->UseRealTime()->MinTime(2);
BENCHMARK(leases)->UseRealTime()->MinTime(2);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
