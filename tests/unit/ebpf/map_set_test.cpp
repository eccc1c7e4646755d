// A BPF map kept equal to a list, against what the kernel says is in it.

#include "ebpf/allow_list.hpp"
#include "tests/unit/ebpf/filter_fixture.hpp"

#include <random>
#include <set>

namespace rouse::ebpf {
namespace {

MacAddress mac_of(std::uint32_t number) {
    const be32 bits(number);
    MacAddress mac;
    std::memcpy(mac.octets.data() + 2, &bits, sizeof bits);
    return mac;
}

std::vector<MacAddress> macs(const std::set<std::uint32_t>& numbers) {
    std::vector<MacAddress> out;
    for (const std::uint32_t number : numbers) out.push_back(mac_of(number));
    return out;
}

class MapSetTest : public FilterFixture {
  protected:
    void SetUp() override {}  // each test loads a program of the size it needs

    [[nodiscard]] std::vector<MacAddress> in_kernel() const {
        return keys_in<MacAddress>(program_->machines_map_fd());
    }
};

TEST_F(MapSetTest, EqualsEachOfAThousandRandomLists) {
    load(1000);
    if (IsSkipped() || HasFatalFailure()) return;
    MapSet<MacAddress> set(program_->machines_map_fd());
    std::mt19937 random(1);
    for (int round = 0; round < 1000; ++round) {
        std::set<std::uint32_t> numbers;
        const auto size = static_cast<std::uint32_t>(random() % 100);
        for (std::uint32_t i = 0; i < size; ++i) numbers.insert(static_cast<std::uint32_t>(random() % 200));
        const auto wanted = macs(numbers);
        ASSERT_TRUE(set.assign(wanted));
        ASSERT_EQ(in_kernel(), wanted);
        EXPECT_EQ(set.size(), wanted.size());
        EXPECT_EQ(set.missing(), 0U);
    }
}

TEST_F(MapSetTest, SeveralBatches) {
    load(100'000);
    if (IsSkipped() || HasFatalFailure()) return;
    MapSet<MacAddress> set(program_->machines_map_fd());
    std::set<std::uint32_t> numbers;
    for (std::uint32_t i = 0; i < 100'000; ++i) numbers.insert(i * 7);
    ASSERT_TRUE(set.assign(macs(numbers)));
    EXPECT_EQ(in_kernel(), macs(numbers));
    ASSERT_TRUE(set.assign({}));
    EXPECT_TRUE(in_kernel().empty());
}

TEST_F(MapSetTest, FullIsCountedAndMadeGoodWhenThereIsRoom) {
    load(10);
    if (IsSkipped() || HasFatalFailure()) return;
    MapSet<MacAddress> set(program_->machines_map_fd());
    ASSERT_TRUE(set.assign(macs({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})));
    EXPECT_EQ(set.size(), 10U);
    EXPECT_EQ(set.missing(), 3U);
    EXPECT_EQ(in_kernel().size(), 10U);
    ASSERT_TRUE(set.assign(macs({3, 4, 5, 11, 12, 13, 14, 15, 16, 17})));
    EXPECT_EQ(in_kernel(), macs({3, 4, 5, 11, 12, 13, 14, 15, 16, 17}));
    EXPECT_EQ(set.missing(), 0U);
}

TEST_F(MapSetTest, KeysThatSomebodyElseTookOutAreNoError) {
    load(10);
    if (IsSkipped() || HasFatalFailure()) return;
    MapSet<MacAddress> set(program_->machines_map_fd());
    ASSERT_TRUE(set.assign(macs({1, 2, 3, 4, 5})));
    for (const std::uint32_t number : {1U, 3U, 5U}) {
        const MacAddress key = mac_of(number);
        ASSERT_EQ(bpf_map_delete_elem(program_->machines_map_fd(), &key), 0);
    }
    ASSERT_TRUE(set.assign(macs({6})));
    EXPECT_EQ(in_kernel(), macs({6}));
}

TEST_F(MapSetTest, ErrorsLeaveTheSetKnowingWhatIsThere) {
    MapSet<MacAddress> set(-1);
    const auto refused = set.assign(macs({1, 2}));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("cannot add to the allow-list"), std::string::npos);
    EXPECT_EQ(set.size(), 0U);
}

}  // namespace
}  // namespace rouse::ebpf
