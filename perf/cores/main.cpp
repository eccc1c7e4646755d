// rouse-cores A B: how long a cache line takes from core A to core B, nanoseconds. Where two cores stand to
// each other (halves of one, neighbours, far apart) decides much of what a server and its client on them can
// do, and a virtual machine's may be moved at any time.

#include "shared/clock.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <pthread.h>

namespace {

constexpr unsigned kRounds = 200'000;

alignas(64) std::atomic<unsigned> line{0};

bool run_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core), &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

void wait_for(unsigned value) {
    while (line.load(std::memory_order_acquire) != value) {
    }
}

}  // namespace

int main(int count, char** arguments) {
    const int here = count == 3 ? std::atoi(arguments[1]) : 0;
    const int there = count == 3 ? std::atoi(arguments[2]) : 0;
    if (here == there) {
        std::fputs("usage: rouse-cores A B, two numbers of different cores\n", stderr);
        return EXIT_FAILURE;
    }
    bool is_there = true;
    std::thread other([&] {
        is_there = run_on(there);
        for (unsigned round = 0; round < kRounds; ++round) {
            wait_for(2 * round + 1);
            line.store(2 * round + 2, std::memory_order_release);
        }
    });
    const bool is_here = run_on(here);
    const auto begun = rouse::monotonic_ns();
    for (unsigned round = 0; round < kRounds; ++round) {
        line.store(2 * round + 1, std::memory_order_release);
        wait_for(2 * round + 2);
    }
    const auto taken = rouse::monotonic_ns() - begun;
    other.join();
    if (!is_here || !is_there) {
        std::fputs("rouse-cores: this process may not use these cores; see /proc/self/status\n", stderr);
        return EXIT_FAILURE;
    }
    std::printf("%.1f\n", static_cast<double>(taken) / kRounds / 2);
    return EXIT_SUCCESS;
}
