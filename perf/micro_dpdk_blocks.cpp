// What brings a TFTP block into a frame of a DPDK device in shared memory (memif), and what it costs: the
// driver alone, nothing of ours but the frame. Both ends in this process and on one core, the sender's time
// alone. A block is 1428 bytes of an image of 64 MiB; in front of it 46 bytes of headers and the TFTP header.
//   empty      nothing is written into the frame: what the driver takes
//   copied     the block is copied behind its headers, as our port does it; the driver copies the frame
//   external   a frame of two pieces, the headers and the image itself: the driver copies from the image
//   shared     zero copy: the frame lies in the memory that both ends share; our copy is the only one
//   shared_empty   the same with nothing written into it

#include "dataplane/port/ethdev.hpp"
#include "perf/thread_time.hpp"
#include "tests/support/scratch_store.hpp"

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

namespace rouse {
namespace {

constexpr std::uint16_t kBlock = 1428;
constexpr std::uint16_t kHeaders = 46;
constexpr std::size_t kImageBytes = std::size_t{64} << 20;
constexpr std::uint16_t kBurst = 32;
constexpr int kBursts = 4;

using Burst = std::array<rte_mbuf*, kBurst>;

class Cable {
  public:
    explicit Cable(bool is_shared) {
        // Whom memif calls the server listens, so it is first; zero copy is the other's to give.
        auto listening = open("role=server");
        auto connecting = open(is_shared ? "role=client,zero-copy=yes" : "role=client");
        sender_ = std::move(is_shared ? connecting : listening);
        receiver_ = std::move(is_shared ? listening : connecting);
        ++cables_;
        for (int tries = 0; tries < 500; ++tries) {
            Burst burst;
            if (rte_pktmbuf_alloc_bulk(pool(), burst.data(), 1) != 0) throw std::runtime_error("no frames");
            if (rte_pktmbuf_append(burst[0], 64) == nullptr || send(burst, 1) == 0)
                rte_pktmbuf_free(burst[0]);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            if (drain() > 0) return;
        }
        throw std::runtime_error("the two ends of the memif did not find each other");
    }
    [[nodiscard]] rte_mempool* pool() const { return sender_->pool(0); }
    std::uint16_t send(Burst& burst, std::uint16_t count = kBurst) {
        return rte_eth_tx_burst(sender_->id(), 0, burst.data(), count);
    }
    std::size_t drain() {
        std::size_t total = 0;
        for (;;) {
            Burst burst;
            const std::uint16_t n = rte_eth_rx_burst(receiver_->id(), 0, burst.data(), kBurst);
            rte_pktmbuf_free_bulk(burst.data(), n);
            total += n;
            if (n == 0) return total;
        }
    }

  private:
    static std::unique_ptr<port::Ethdev> open(const std::string& parameters) {
        port::DpdkOptions options;
        options.eal_arguments = "-m 96 --single-file-segments";
        return test::must(port::Ethdev::open("net_memif" + std::to_string(ends_++) + "," + parameters +
                                                 ",socket=rouse-blocks-" + std::to_string(::getpid()) + "-" +
                                                 std::to_string(cables_),
                                             1, options));
    }
    static inline int ends_ = 0;
    static inline int cables_ = 0;
    std::unique_ptr<port::Ethdev> sender_;
    std::unique_ptr<port::Ethdev> receiver_;
};

Cable& cable_of(bool is_shared) {
    static Cable copied(false);
    static Cable shared(true);
    return is_shared ? shared : copied;
}

// Where transfers read: each window of 16 blocks by all of a thousand of them before the next.
class Image {
  public:
    const std::byte* next_block() {
        const std::size_t window = read_ / 16 / 1000 * 16 + read_ % 16;
        ++read_;
        return bytes_.data() + window * kBlock % (bytes_.size() - kBlock);
    }

  private:
    std::vector<std::byte> bytes_ = std::vector<std::byte>(kImageBytes, std::byte{1});
    std::size_t read_ = 0;
};

// Sends bursts whose frames FILL(rte_mbuf&) makes out of empty ones.
template <typename Fill>
void run(benchmark::State& state, bool is_shared, Fill&& fill) {
    Cable& cable = cable_of(is_shared);
    perf::Stopwatch watch;
    std::uint64_t frames = 0;
    for (auto _ : state) {
        watch.start();
        for (int i = 0; i < kBursts; ++i) {
            Burst burst;
            if (rte_pktmbuf_alloc_bulk(cable.pool(), burst.data(), kBurst) != 0)
                return state.SkipWithError("no frames are left");
            for (rte_mbuf* mbuf : burst) fill(*mbuf);
            const std::uint16_t sent = cable.send(burst);
            if (sent < kBurst) rte_pktmbuf_free_bulk(burst.data() + sent, kBurst - sent);
        }
        watch.stop();
        frames += cable.drain();
    }
    if (frames < static_cast<std::uint64_t>(state.iterations()) * kBursts * kBurst)
        state.SkipWithError("frames were lost");
    state.counters["ns_per_frame"] = static_cast<double>(watch.elapsed_ns()) / static_cast<double>(frames);
}

void make_empty(rte_mbuf& mbuf) {
    mbuf.data_len = kHeaders + kBlock;
    mbuf.pkt_len = kHeaders + kBlock;
}

void empty(benchmark::State& state) {
    run(state, false, make_empty);
}
void shared_empty(benchmark::State& state) {
    run(state, true, make_empty);
}

void run_copied(benchmark::State& state, bool is_shared) {
    Image image;
    run(state, is_shared, [&](rte_mbuf& mbuf) {
        make_empty(mbuf);
        std::memcpy(rte_pktmbuf_mtod_offset(&mbuf, std::byte*, kHeaders), image.next_block(), kBlock);
    });
}
void copied(benchmark::State& state) {
    run_copied(state, false);
}
void shared(benchmark::State& state) {
    run_copied(state, true);
}

void external(benchmark::State& state) {
    Image image;
    rte_mempool* const pieces = rte_pktmbuf_pool_create("pieces", 4095, 256, 0, 0, SOCKET_ID_ANY);
    if (pieces == nullptr) return state.SkipWithError("no memory for the pieces");
    // The image outlives all frames: nobody waits for its last reference.
    rte_mbuf_ext_shared_info shared_info{};
    shared_info.free_cb = [](void*, void*) {};
    rte_mbuf_ext_refcnt_set(&shared_info, 1);
    run(state, false, [&](rte_mbuf& mbuf) {
        rte_mbuf* const piece = rte_pktmbuf_alloc(pieces);
        rte_mbuf_ext_refcnt_update(&shared_info, 1);
        auto* const block = const_cast<std::byte*>(image.next_block());
        rte_pktmbuf_attach_extbuf(piece, block, RTE_BAD_IOVA, kBlock, &shared_info);
        piece->data_len = kBlock;
        piece->pkt_len = kBlock;
        mbuf.data_len = kHeaders;
        mbuf.pkt_len = kHeaders;
        rte_pktmbuf_chain(&mbuf, piece);
    });
    rte_mempool_free(pieces);
}

BENCHMARK(empty);
BENCHMARK(copied);
BENCHMARK(external);
BENCHMARK(shared_empty);
BENCHMARK(shared);

}  // namespace
}  // namespace rouse

BENCHMARK_MAIN();
