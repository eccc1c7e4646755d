#include "dataplane/worker/filter_follower.hpp"

#include "shared/clock.hpp"
#include "shared/store/records.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace rouse::worker {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(5);
constexpr std::uint64_t kPublishIntervalNs = 100 * kNanosPerMilli;
constexpr std::uint64_t kRetryNs = kNanosPerSecond;

// A machine's first DISCOVER and REQUEST pass; then about as many as firmware repeats (RFC 2131 4.1).
constexpr ebpf::BucketSize kEachStranger{.burst = 2, .per_second = 0.5};
// A guest's whole DHCP, with repetitions, and its first file requests, before the list knows it.
constexpr ebpf::BucketSize kEachGuest{.burst = 8, .per_second = 0.5};

// What the store says of who is known.
struct Known {
    std::vector<MacAddress> machines;    // ascending
    std::vector<Ipv4Address> addresses;  // ascending
    bool serves_unknown = false;
};

// Changes whenever Known may have changed.
struct Generation {
    bool is_announced = false;  // else NUMBER is that of the last commit
    std::uint64_t number = 0;

    friend bool operator==(const Generation&, const Generation&) = default;
};

struct Reading {
    std::uint64_t snapshot = 0;  // the store's transaction that was read
    Generation generation;
    std::optional<Known> known{};  // none: as before
};

Result<Generation> read_generation(const store::Transaction& txn, const store::Tables& tables) {
    const auto value = txn.get(tables.meta, store::bytes_of(store::kHostsGenerationKey));
    if (!value) return tl::unexpected(value.error());
    be64 number;
    if (!*value || (*value)->size() != sizeof number) return Generation{false, mdb_txn_id(txn.raw())};
    std::memcpy(&number, (*value)->data(), sizeof number);
    return Generation{true, number.host()};
}

Result<void> read_machines(const store::Transaction& txn, const store::Tables& tables, Known& known) {
    const auto count = txn.count(tables.hosts);
    if (count) known.machines.reserve(*count);
    // The key alone counts: what is wrong with a record is the worker's to find.
    return store::scan(txn, tables.hosts, {}, [&](store::Bytes key, store::Bytes) {
        MacAddress mac;
        if (key.size() != sizeof mac) return true;
        std::memcpy(&mac, key.data(), sizeof mac);
        known.machines.push_back(mac);
        return true;
    });
}

// Leases of addresses in [FROM, UNTIL], whatever became of them: firmware does not renew in mid-boot. Not
// those that a machine found to be another's.
Result<void> read_addresses(const store::Transaction& txn, const store::Tables& tables, Ipv4Address from,
                            Ipv4Address until, Known& known) {
    return store::scan(txn, tables.leases, store::bytes_of(from), [&](store::Bytes key, store::Bytes value) {
        Ipv4Address address;
        if (key.size() != sizeof address) return true;
        std::memcpy(&address, key.data(), sizeof address);
        if (address > until) return false;
        const auto lease = store::decode<store::LeaseRecord>(value);
        if (lease && lease->state != store::LeaseState::abandoned) known.addresses.push_back(address);
        return true;
    });
}

Result<void> read_networks(const store::Transaction& txn, const store::Tables& tables, Known& known) {
    return store::scan(txn, tables.networks, {}, [&](store::Bytes, store::Bytes value) {
        const auto network = store::decode<store::NetworkRecord>(value);
        known.serves_unknown = known.serves_unknown || (network && network->serves_unknown());
        return !known.serves_unknown;
    });
}

Result<Known> read_known(const store::Transaction& txn, const store::Tables& tables,
                         const Ipv4Prefix& own_subnet) {
    Known known;
    const std::uint32_t first = own_subnet.address.host();
    const std::uint32_t last = own_subnet.broadcast().host();
    Result<void> read = read_machines(txn, tables, known);
    if (read && first > 0) read = read_addresses(txn, tables, {}, Ipv4Address::from_host(first - 1), known);
    if (read && last < kBroadcastIpv4.host())
        read = read_addresses(txn, tables, Ipv4Address::from_host(last + 1), kBroadcastIpv4, known);
    if (read) read = read_networks(txn, tables, known);
    if (!read) return tl::unexpected(read.error());
    return known;
}

}  // namespace

struct FilterFollower::Running {
    Running(store::Environment& environment_, const store::Tables& tables_, const ebpf::XdpProgram& program_,
            Options options_)
        : environment(environment_),
          tables(tables_),
          program(program_),
          options(std::move(options_)),
          list(program_),
          before(options.counters->xdp.size()) {
        for (std::size_t i = 0; i < before.size(); ++i) before[i] = options.counters->xdp[i].load();
        list.steer(options.extras);
        thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const std::uint64_t now = monotonic_ns();
            if (options.allow_list && now >= follow_at_ns) follow();
            if (now >= publish_at_ns) {
                publish();
                publish_at_ns = now + kPublishIntervalNs;
            }
            std::unique_lock lock(mutex);
            wake.wait_for(lock, stop, kPollInterval, [] { return false; });
        }
        publish();
    }

    void follow() {
        if (environment.last_transaction() == seen) return;
        const std::uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        auto reading = begin_reading().and_then([this] { return read(); });
        // Not held while the kernel's maps are written: an open snapshot keeps old pages from reuse.
        if (transaction) transaction->reset();
        const std::uint64_t reading_took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
        const auto followed =
            std::move(reading).and_then([this](Reading fresh) { return apply(std::move(fresh)); });
        if (!followed) report_once("the allow-list cannot follow the store: " + followed.error().message);
        follow_at_ns = monotonic_ns() + (followed ? reading_took : kRetryNs);
    }

    Result<void> begin_reading() {
        if (transaction && transaction->renew()) return {};
        transaction.reset();
        auto begun = environment.begin(store::Access::read_only);
        if (!begun) return tl::unexpected(begun.error());
        transaction.emplace(std::move(*begun));
        return {};
    }

    Result<Reading> read() {
        const auto current = read_generation(*transaction, tables);
        if (!current) return tl::unexpected(current.error());
        Reading fresh{.snapshot = mdb_txn_id(transaction->raw()), .generation = *current};
        if (generation == fresh.generation) return fresh;
        auto known = read_known(*transaction, tables, options.own_subnet);
        if (!known) return tl::unexpected(known.error());
        fresh.known = std::move(*known);
        return fresh;
    }

    Result<void> apply(Reading fresh) {
        if (fresh.known)
            if (auto written = write(std::move(*fresh.known)); !written) return written;
        generation = fresh.generation;
        seen = fresh.snapshot;
        return {};
    }

    Result<void> write(Known known) {
        const auto machines = list.machines.assign(std::move(known.machines));
        const auto addresses = list.addresses.assign(std::move(known.addresses));
        const unsigned all = known.serves_unknown ? options.guests_per_second : options.strangers_per_second;
        list.set_limits({.each = known.serves_unknown ? kEachGuest : kEachStranger,
                         .all = {.burst = all, .per_second = static_cast<double>(all)}});
        ++rescans;
        show_size();
        if (!machines) return machines;
        if (!addresses) return addresses;
        list.enforce(true);
        return {};
    }

    void show_size() {
        const std::size_t missing = list.machines.missing() + list.addresses.missing();
        if (missing > 0 && missing_before == 0 && options.report)
            options.report("the allow-list is full: " + std::to_string(missing) +
                           " machines found no room and are treated as unknown, so their boots may stall; "
                           "raise dataplane.allow_list_size and restart rouse-dataplane");
        missing_before = missing;
        CountersLayout& to = *options.counters;
        to.set(Gauge::allow_list_machines, list.machines.size());
        to.set(Gauge::allow_list_addresses, list.addresses.size());
        to.set(Gauge::allow_list_missing, missing);
        to.set(Gauge::allow_list_rescans, rescans);
    }

    // The program counts from 0, the segment goes on from what earlier ones counted.
    void publish() {
        const auto counted = program.counters();
        if (!counted) return report_once(counted.error().message);
        const std::array<std::uint64_t, kXdpActions.size()> frames{
#define X(name, help) counted->name,
            XDP_FILTER_COUNTERS(X)
#undef X
        };
        for (std::size_t i = 0; i < frames.size(); ++i)
            options.counters->xdp[i].store(before[i] + frames[i], std::memory_order_relaxed);
    }

    // The same trouble is retried every second, and told once.
    void report_once(const std::string& message) {
        if (message == last_report) return;
        last_report = message;
        if (options.report) options.report(message);
    }

    store::Environment& environment;
    store::Tables tables;
    const ebpf::XdpProgram& program;
    Options options;
    ebpf::AllowList list;
    std::vector<std::uint64_t> before;  // XdpActions counted before this program was loaded

    std::optional<store::Transaction> transaction;
    std::uint64_t seen = 0;                // the store's transaction that the list is equal to
    std::optional<Generation> generation;  // likewise
    std::uint64_t follow_at_ns = 0;        // not before
    std::uint64_t publish_at_ns = 0;       // likewise
    std::uint64_t rescans = 0;
    std::size_t missing_before = 0;
    std::string last_report;

    std::mutex mutex;
    std::condition_variable_any wake;
    std::jthread thread;  // last: it is stopped and joined before the rest goes
};

FilterFollower::FilterFollower(store::Environment& environment, const store::Tables& tables,
                               const ebpf::XdpProgram& program, Options options)
    : running_(std::make_unique<Running>(environment, tables, program, std::move(options))) {}

FilterFollower::~FilterFollower() = default;

}  // namespace rouse::worker
