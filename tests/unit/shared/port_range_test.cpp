#include "shared/port_range.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace rouse {
namespace {

TEST(PortRange, TextAndBack) {
    const auto range = PortRange::parse("61440-65535");
    ASSERT_TRUE(range);
    EXPECT_EQ(*range, (PortRange{61440, 4096}));
    EXPECT_EQ(range->to_string(), "61440-65535");
    EXPECT_EQ(PortRange::parse("7-7"), (PortRange{7, 1}));
    EXPECT_EQ(PortRange::parse("1-65535"), (PortRange{1, 65535}));
    for (const char* text :
         {"", "-", "7", "7-", "-7", "8-7", "0-7", "7-65536", "7-000008", "7 -8", "7--8", "a-b"})
        EXPECT_FALSE(PortRange::parse(text)) << text;
}

TEST(PortRange, Ends) {
    constexpr PortRange last{65'535, 1};
    EXPECT_TRUE(last.contains(65'535));
    EXPECT_FALSE(last.contains(65'534));
    EXPECT_FALSE(last.contains(0));
    EXPECT_FALSE(PortRange{}.contains(0));
    constexpr PortRange some{50'000, 1000};
    EXPECT_FALSE(some.contains(49'999));
    EXPECT_TRUE(some.contains(50'999));
    EXPECT_FALSE(some.contains(51'000));
}

TEST(PortRange, Overlap) {
    constexpr PortRange some{50'000, 1000};
    EXPECT_TRUE(some.overlaps({50'999, 1}));
    EXPECT_TRUE(some.overlaps({49'000, 1001}));
    EXPECT_TRUE(some.overlaps({1, 65'535}));
    EXPECT_FALSE(some.overlaps({51'000, 1}));
    EXPECT_FALSE(some.overlaps({49'000, 1000}));
    EXPECT_FALSE(some.overlaps({}));
    EXPECT_FALSE(PortRange{}.overlaps(some));
}

TEST(PortRange, WorkersSharesAreTheirOwn) {
    constexpr PortRange all{61'440, 4096};
    for (const unsigned workers : {1U, 2U, 3U, 7U, 64U}) {
        std::vector<int> owners(0x10000);
        for (unsigned i = 0; i < workers; ++i) {
            const PortRange share = all.share(i, workers);
            EXPECT_EQ(share.count, 4096 / workers);
            for (unsigned port = share.first; port <= share.last(); ++port) ++owners[port];
        }
        for (unsigned port = 0; port <= 0xffff; ++port)
            ASSERT_LE(owners[port], all.contains(static_cast<std::uint16_t>(port)) ? 1 : 0) << port;
    }
    // One mask tells the worker.
    for (unsigned i = 0; i < 4; ++i) EXPECT_EQ((all.share(i, 4).first >> 10) & 3, i);
}

}  // namespace
}  // namespace rouse
