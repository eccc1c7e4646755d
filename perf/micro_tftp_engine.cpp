// What one TFTP block costs the engine, from the ACK in hand to the next 1428-byte DATA in a frame, against
// the limit: a memcpy of the same bytes into the same frames. "hot" is one popular file in the caches, "cold"
// is spread over 1 GiB: every transfer is somewhere else, so every block comes from memory.

#include "dataplane/tftp/engine.hpp"
#include "perf/allocation_counter.hpp"
#include "perf/thread_time.hpp"

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/mman.h>

namespace rouse {
namespace {

constexpr std::size_t kBlockBytes = 1428;
constexpr std::size_t kBurst = 32;
constexpr std::size_t kHot = std::size_t{1} << 18;
constexpr std::size_t kCold = std::size_t{1} << 30;

// Memory of a power of two bytes, all of it there, on huge pages where the kernel gives them.
class Bytes {
  public:
    explicit Bytes(std::size_t size)
        : size_(size),
          data_(static_cast<std::byte*>(::mmap(nullptr, size + kBlockBytes, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        ::madvise(data_, size, MADV_HUGEPAGE);
        std::memset(data_, 0x5a, size + kBlockBytes);
    }
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    ~Bytes() { ::munmap(data_, size_ + kBlockBytes); }

    [[nodiscard]] const std::byte* at(std::uint64_t offset) const noexcept {
        return data_ + (offset & (size_ - 1));
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::size_t size_;
    std::byte* data_;
};

const Bytes& content(std::size_t size) {
    static const Bytes hot(kHot);
    static const Bytes cold(kCold);
    return size == kHot ? hot : cold;
}

// Transmit frames, used again and again like those of a port.
class Frames {
  public:
    [[nodiscard]] std::span<std::byte> next() noexcept { return frames_[++next_ % frames_.size()]; }

  private:
    std::vector<std::array<std::byte, 2048>> frames_{512};
    std::size_t next_ = 0;
};

// One file without an end; a content's handle says where in memory its transfer begins.
class Host {
  public:
    using Route = std::array<std::byte, 48>;

    explicit Host(const Bytes& bytes) : bytes_(&bytes) {}

    Route route_to(const tftp::Peer&) noexcept { return {}; }
    std::optional<MacAddress> identify(const tftp::Peer& peer) noexcept { return peer.mac; }
    tftp::Resolution resolve(const MacAddress&, std::string_view) noexcept {
        tftp::Content content{std::uint64_t{1} << 40, {}};
        const std::uint64_t start = random_();
        std::memcpy(content.handle.data(), &start, sizeof start);
        return {tftp::Availability::ready, content};
    }
    tftp::Availability poll(tftp::Content&) noexcept { return tftp::Availability::ready; }
    void retain(const tftp::Content&) noexcept {}
    void release(const tftp::Content&) noexcept {}
    ReadResult read(const tftp::Content& content, std::uint64_t offset, std::span<std::byte> out) noexcept {
        std::uint64_t start = 0;
        std::memcpy(&start, content.handle.data(), sizeof start);
        std::memcpy(out.data(), bytes_->at(start + offset), out.size());
        return ReadResult::done;
    }
    void prefetch(const tftp::Content& content, std::uint64_t offset, std::size_t length) noexcept {
        std::uint64_t start = 0;
        std::memcpy(&start, content.handle.data(), sizeof start);
        tftp::prefetch_lines(bytes_->at(start + offset), length);
    }
    std::span<std::byte> reply(const Route& route) noexcept {
        room_ = frames_.next();
        std::memcpy(room_.data(), route.data(), route.size());
        return room_.subspan(route.size());
    }
    void commit(std::size_t) noexcept { benchmark::ClobberMemory(); }
    void emit(const Event&) noexcept {}
    WorkerCounters& counters() noexcept { return *counters_; }

  private:
    const Bytes* bytes_;
    Frames frames_;
    std::span<std::byte> room_;
    std::mt19937_64 random_{7};
    std::unique_ptr<WorkerCounters> counters_ = std::make_unique<WorkerCounters>();
};
static_assert(tftp::Host<Host>);

tftp::Peer peer(std::uint32_t n) {
    return {Ipv4Address::from_host(0x0a010000 + n), Ipv4Address::from_host(0x0a000001),
            static_cast<std::uint16_t>(2000 + n % 50), MacAddress{{2, 0, 0, 0, 0, 1}}};
}

// In which order the clients' packets come: at random, the same for the limit and the engine.
std::vector<std::uint32_t> order_of(std::uint32_t sessions) {
    std::vector<std::uint32_t> order(sessions);
    for (std::uint32_t i = 0; i < sessions; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(3));
    return order;
}

// The thread's own time: other programs on the same cores do not count.

void report(benchmark::State& state, std::uint64_t elapsed_ns, std::uint64_t packets,
            std::uint64_t allocations) {
    state.SetItemsProcessed(static_cast<std::int64_t>(packets));
    state.SetBytesProcessed(static_cast<std::int64_t>(packets * kBlockBytes));
    state.counters["ns_per_packet"] = static_cast<double>(elapsed_ns) / static_cast<double>(packets);
    state.counters["allocs_per_packet"] = static_cast<double>(allocations) / static_cast<double>(packets);
}

void copy_block(benchmark::State& state) {
    const Bytes& bytes = content(static_cast<std::size_t>(state.range(1)));
    const auto sessions = static_cast<std::uint32_t>(state.range(0));
    const auto order = order_of(sessions);
    std::vector<std::uint64_t> offsets(sessions);
    std::mt19937_64 random(7);
    for (auto& offset : offsets) offset = random();
    Frames frames;
    std::size_t turn = 0;
    const std::uint64_t start = perf::thread_cpu_ns();
    for (auto _ : state) {
        for (std::size_t i = 0; i < kBurst; ++i) {
            std::uint64_t& offset = offsets[order[turn++ % sessions]];
            std::memcpy(frames.next().data() + 52, bytes.at(offset), kBlockBytes);
            benchmark::ClobberMemory();
            offset += kBlockBytes;
        }
    }
    report(state, perf::thread_cpu_ns() - start, state.iterations() * kBurst, 0);
}

void ack_to_data(benchmark::State& state) {
    const auto sessions = static_cast<std::uint32_t>(state.range(0));
    Host host(content(static_cast<std::size_t>(state.range(1))));
    tftp::Engine<Host> engine({.sessions = sessions, .seed = 5});
    std::uint64_t now = kNanosPerSecond;
    std::array<std::byte, 64> packet{};
    const std::size_t request = wire::tftp::write_request(packet, wire::tftp::Opcode::rrq, "f", "octet",
                                                          {.block_size = std::uint16_t{kBlockBytes}});
    for (std::uint32_t n = 0; n < sessions; ++n) {
        (void)engine.receive(now, peer(n), std::span(packet).first(request), host);
        engine.run(now, host, kBurst);
    }
    const auto order = order_of(sessions);
    std::vector<tftp::Peer> peers;
    for (const auto n : order) peers.push_back(peer(n));
    std::size_t turn = 0;
    std::uint64_t sent = 0;
    const auto burst = [&] {
        if (engine.wants_prefetch() && turn % sessions + kBurst <= sessions)
            engine.prefetch(std::span(peers).subspan(turn % sessions, kBurst));
        for (std::size_t i = 0; i < kBurst; ++i, ++turn) {
            const auto block = static_cast<std::uint16_t>(turn / sessions);
            std::array<std::byte, 4> ack;
            const std::size_t size = wire::tftp::write_ack(ack, block);
            (void)engine.receive(now, peers[turn % sessions], std::span(ack).first(size), host);
        }
        sent += engine.run(now, host, 4 * kBurst);
        now += 10'000;
    };
    while (turn < 2 * sessions) burst();  // every transfer is past its first block

    sent = 0;
    const std::uint64_t allocations = perf::allocations();
    const std::uint64_t start = perf::thread_cpu_ns();
    for (auto _ : state) burst();
    const std::uint64_t elapsed = perf::thread_cpu_ns() - start;
    if (sent != state.iterations() * kBurst) state.SkipWithError("not every ACK brought one block");
    report(state, elapsed, sent, perf::allocations() - allocations);
}

void shapes(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"sessions", "footprint"});
    for (const auto footprint : {kHot, kCold})
        for (const std::int64_t sessions : {128, 1024, 100'000})
            benchmark->Args({sessions, static_cast<std::int64_t>(footprint)});
}
BENCHMARK(copy_block)->Apply(shapes);
BENCHMARK(ack_to_data)->Apply(shapes);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
