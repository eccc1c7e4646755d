#include "dataplane/neighbour/advertisement_timer.hpp"

#include "shared/clock.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace rouse::neighbour {
namespace {

class AdvertisementTimerTest : public ::testing::Test {
  protected:
    AdvertisementTimer timer_{7};
    store::NetworkRecord network_;
    std::uint64_t now_ns_ = 0;

    void SetUp() override {
        network_.id = 1;
        network_.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
    }
    // Seconds at which it wants to speak, within SECONDS, asked every 50 ms as the loop does.
    std::vector<std::uint64_t> sent_within(std::uint64_t seconds, const store::NetworkRecord* network) {
        std::vector<std::uint64_t> sent;
        for (const std::uint64_t end = now_ns_ + seconds * kNanosPerSecond; now_ns_ < end;
             now_ns_ += 50 * kNanosPerMilli)
            if (timer_.is_due(now_ns_) && timer_.expire(now_ns_, network))
                sent.push_back(now_ns_ / kNanosPerSecond);
        return sent;
    }
};

TEST_F(AdvertisementTimerTest, OneThatIsNoRouterSaysNothing) {
    EXPECT_TRUE(sent_within(3600, nullptr).empty());
    EXPECT_TRUE(sent_within(3600, &network_).empty());
    network_.router_lifetime6 = 1800;
    network_.prefix6 = {};
    EXPECT_TRUE(sent_within(3600, &network_).empty());
}

TEST_F(AdvertisementTimerTest, SpeaksOftenAtFirstThenAtRandomWithinAThirdOfTheLifetime) {
    network_.router_lifetime6 = 1800;
    const auto sent = sent_within(24 * 3600, &network_);
    ASSERT_GT(sent.size(), 100U);
    EXPECT_EQ(sent[0], 0U);
    bool differs = false;
    for (std::size_t i = 1; i < sent.size(); ++i) {
        const std::uint64_t interval = sent[i] - sent[i - 1];
        EXPECT_LE(interval, i <= 3 ? 17U : 601U);  // a look a second: up to one later
        EXPECT_GE(interval, i <= 3 ? 15U : 200U);
        differs = differs || (i > 4 && interval != sent[i - 1] - sent[i - 2]);
    }
    EXPECT_TRUE(differs);
}

TEST_F(AdvertisementTimerTest, AShortLifetimeIsRefreshedInTime) {
    network_.router_lifetime6 = 30;
    const auto sent = sent_within(600, &network_);
    ASSERT_GT(sent.size(), 50U);
    for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_LE(sent[i] - sent[i - 1], 11U);
}

TEST_F(AdvertisementTimerTest, TellsOnceThatItIsNoRouterAnyLonger) {
    network_.router_lifetime6 = 1800;
    EXPECT_FALSE(sent_within(5, &network_).empty());
    network_.router_lifetime6 = 0;
    EXPECT_EQ(sent_within(3600, &network_).size(), 1U);
    network_.router_lifetime6 = 1800;
    EXPECT_FALSE(sent_within(2, &network_).empty());
    EXPECT_EQ(sent_within(2, nullptr).size(), 1U);
}

}  // namespace
}  // namespace rouse::neighbour
