// A worker behind its XDP program on a real (virtual) cable: what a flood of strangers does to it.

#include "dataplane/port/xdp_device.hpp"
#include "dataplane/worker/filter_follower.hpp"
#include "dataplane/worker/loop.hpp"
#include "shared/clock.hpp"
#include "tests/support/dhcp_builder.hpp"
#include "tests/support/privileges.hpp"
#include "tests/support/scratch_store.hpp"
#include "tests/support/veth.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using ebpf::XdpMode;
using test::Bytes;
using test::must;
using test::ScratchStore;
using test::Veth;

constexpr unsigned kStrangersPerSecond = 1000;

Bytes discover(const MacAddress& mac) {
    return test::DhcpBuilder(wire::DhcpType::discover, mac).pxe(0).frame();
}
MacAddress stranger(std::uint32_t number) {
    return {{2, 1, 0, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
             static_cast<std::uint8_t>(number)}};
}

class FilterOnWire : public ::testing::TestWithParam<XdpMode> {
  protected:
    void SetUp() override {
        veth_.emplace();
        ROUSE_NEEDS_PRIVILEGES(veth_->error().empty(), veth_->error());
        ASSERT_TRUE(test::run_command("ip address add 10.0.0.1/8 dev rouse0"));
        store_.add_network_and_profile();
        wire_.emplace(Veth::kWire);
        ASSERT_TRUE(wire_->is_bound());
        device_.emplace(must(port::XdpDevice::open(Veth::kPort, 1, {.mode = GetParam()})));
        port_ = &device_->ports().front();
        directory_.emplace(must(Directory::open(store_.environment())));
        images_.emplace(store_.environment(), store_.tables(),
                        image::ImageStore::Options{.directory = store_.images(), .budget_bytes = 1 << 20});
        filter_.emplace(store_.environment(), store_.tables(), device_->program(),
                        FilterFollower::Options{.own_subnet = *Ipv4Prefix::parse("10.0.0.0/8"),
                                                .strangers_per_second = kStrangersPerSecond,
                                                .guests_per_second = kStrangersPerSecond,
                                                .counters = counters_.get()});
        worker_ = std::make_unique<Worker<port::XdpPort>>(
            *port_,
            Surroundings{.self = {.mac = port_->hardware_address(),
                                  .address = *Ipv4Address::parse("10.0.0.1"),
                                  .subnet = *Ipv4Prefix::parse("10.0.0.0/8")},
                         .directory = &*directory_,
                         .counters = &counters_->worker[0],
                         .events = events_.get(),
                         .tftp = {.sessions = 16}},
            must(images_->reader()));
        loop_ = std::jthread([this] { run_loop(*worker_, stop_, {}); });
    }
    void TearDown() override {
        stop_.store(true);
        loop_ = {};
        worker_.reset();
    }
    // True when the next frame that comes is an answer to MAC; waits at most a second.
    bool is_answered(const MacAddress& mac) {
        while (const auto frame = wire_->receive(std::chrono::milliseconds(1000)))
            if (frame->size() > 76 && std::memcmp(frame->data() + 14 + 20 + 8 + 28, &mac, sizeof mac) == 0)
                return true;
        return false;
    }
    [[nodiscard]] std::uint64_t counted(XdpAction action) const { return counters_->get(action); }

    ScratchStore store_;
    std::unique_ptr<CountersLayout> counters_ = std::make_unique<CountersLayout>();
    std::unique_ptr<EventRingLayout> events_ = std::make_unique<EventRingLayout>();
    std::optional<Veth> veth_;
    std::optional<test::PacketSocket> wire_;
    std::optional<port::XdpDevice> device_;
    port::XdpPort* port_ = nullptr;  // its only one
    std::optional<Directory> directory_;
    std::optional<image::ImageStore> images_;
    std::optional<FilterFollower> filter_;
    std::unique_ptr<Worker<port::XdpPort>> worker_;
    std::atomic<bool> stop_{false};
    std::jthread loop_;
};
INSTANTIATE_TEST_SUITE_P(Modes, FilterOnWire, ::testing::Values(XdpMode::native, XdpMode::generic),
                         [](const auto& mode) { return to_string(mode.param); });

TEST_P(FilterOnWire, FloodOfStrangersCostsAKnownMachineNoFrame) {
    constexpr std::uint32_t kFlood = 300'000;
    constexpr std::uint32_t kBetween = 1000;
    store_.add_machines(10);
    while (counters_->get(Gauge::allow_list_machines) < 10) std::this_thread::yield();
    const std::uint64_t start = monotonic_ns();
    Bytes flood = discover(stranger(0));
    std::uint32_t asked = 0;
    std::uint32_t answered = 0;
    for (std::uint32_t i = 0; i < kFlood; ++i) {
        const MacAddress mac = stranger(i);
        std::memcpy(flood.data() + 6, &mac, sizeof mac);
        while (!wire_->send(flood)) std::this_thread::yield();
        if (i % kBetween != 0) continue;
        const MacAddress known = ScratchStore::mac_of(asked++ % 10);
        ASSERT_TRUE(wire_->send(discover(known)));
        answered += is_answered(known) ? 1 : 0;
    }
    const double seconds = static_cast<double>(monotonic_ns() - start) / kNanosPerSecond;
    filter_.reset();  // so that what was counted is published
    EXPECT_EQ(answered, asked);
    EXPECT_EQ(port_->statistics().receive_dropped, 0U);
    EXPECT_EQ(counted(XdpAction::redirected), asked);
    EXPECT_EQ(counted(XdpAction::redirected_stranger) + counted(XdpAction::dropped_flood), kFlood);
    EXPECT_GE(counted(XdpAction::redirected_stranger), kStrangersPerSecond);
    EXPECT_LE(static_cast<double>(counted(XdpAction::redirected_stranger)),
              kStrangersPerSecond * (1 + seconds) + 1);
}

// One that used up its tokens before it was registered is served soon after. The median, as another process
// may have the core.
TEST_P(FilterOnWire, StrangerThatIsRegisteredIsServedWithinATenthOfASecond) {
    while (counters_->get(Gauge::allow_list_rescans) == 0) std::this_thread::yield();
    std::vector<std::uint64_t> delays;
    for (std::uint32_t i = 0; i < 11; ++i) {
        const Bytes frame = discover(ScratchStore::mac_of(i));
        for (int n = 0; n < 5; ++n) ASSERT_TRUE(wire_->send(frame));
        store_.add_machines(i + 1);
        const std::uint64_t committed = monotonic_ns();
        bool served = false;
        for (int tries = 0; tries < 1000 && !served; ++tries) {
            ASSERT_TRUE(wire_->send(frame));
            served = wire_->receive(std::chrono::milliseconds(5)).has_value();
        }
        ASSERT_TRUE(served) << i;
        delays.push_back(monotonic_ns() - committed);
        while (wire_->receive(std::chrono::milliseconds(5))) continue;
    }
    std::ranges::sort(delays);
    EXPECT_LT(delays[delays.size() / 2], 100 * kNanosPerMilli);
}

}  // namespace
}  // namespace rouse::worker
