#pragma once
// Where the fuzzer of DHCP's whole path plays: stores, a worker on each, and what holds of every answer.

#include "dataplane/dhcp6/identity.hpp"
#include "tests/support/worker_fixture.hpp"

namespace rouse::fuzz {

using Frame = std::vector<std::byte>;

inline const MacAddress kRouterMac{{2, 7, 7, 7, 7, 7}};

class World {
  public:
    // 0: registered machines only; 1: guests too, one there already; 2: beside another server; 3: IPv4 alone.
    // Made at first use, then kept: making one takes longer than an input.
    static World& get(unsigned which);

    std::vector<Frame> send(const Frame& frame);
    void advance(std::uint64_t nanoseconds) noexcept { now_ns_ += nanoseconds; }
    // Forgets what waits for a lease.
    void settle();
    [[nodiscard]] bool knows(const MacAddress& mac);

  private:
    explicit World(unsigned which);
    test::ScratchStore store_;
    std::unique_ptr<test::WorkerFixture> fixture_;
    std::uint64_t now_ns_ = kNanosPerSecond;
};

// Aborts unless ANSWER is a sound frame of ours that REQUEST's sender may have. False: it is no answer but
// what a router says of its own accord.
bool check(World& world, const Frame& request, const Frame& answer);

// Makes lengths and checksums of FRAME right, as far as it has them.
void repair(Frame& frame);
// Makes FRAME come from the machine MAC to us.
void adopt(Frame& frame, const MacAddress& mac);
// Makes FRAME come back to us, at the ports where we listen.
void readdress(Frame& frame);

}  // namespace rouse::fuzz
