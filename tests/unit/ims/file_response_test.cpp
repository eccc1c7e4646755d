#include "mgmt/ims/file_response.hpp"

#include <gtest/gtest.h>

namespace rouse::ims {
namespace {

struct RangeCase {
    const char* header;
    std::uint64_t size;
    RangeKind kind;
    std::uint64_t first = 0, length = 0;
};

class Range : public ::testing::TestWithParam<RangeCase> {};

TEST_P(Range, IsReadAsRfc9110Says) {
    const auto& expected = GetParam();
    const auto got = parse_range(expected.header, expected.size);
    EXPECT_EQ(got.kind, expected.kind) << expected.header;
    EXPECT_EQ(got.range.first, expected.first) << expected.header;
    EXPECT_EQ(got.range.length, expected.length) << expected.header;
}

INSTANTIATE_TEST_SUITE_P(
    Headers, Range,
    ::testing::Values(
        RangeCase{"", 10, RangeKind::whole}, RangeCase{"bytes=0-", 10, RangeKind::part, 0, 10},
        RangeCase{"bytes=0-0", 10, RangeKind::part, 0, 1}, RangeCase{"bytes=3-5", 10, RangeKind::part, 3, 3},
        RangeCase{"bytes=3-500", 10, RangeKind::part, 3, 7}, RangeCase{"bytes=-4", 10, RangeKind::part, 6, 4},
        RangeCase{"bytes=-40", 10, RangeKind::part, 0, 10},
        RangeCase{"bytes=9-18446744073709551615", 10, RangeKind::part, 9, 1},
        RangeCase{"bytes=10-", 10, RangeKind::unsatisfiable},
        RangeCase{"bytes=0-", 0, RangeKind::unsatisfiable},
        RangeCase{"bytes=-0", 10, RangeKind::unsatisfiable}, RangeCase{"bytes=5-3", 10, RangeKind::whole},
        RangeCase{"bytes=1-2,4-5", 10, RangeKind::whole}, RangeCase{"bytes=x-2", 10, RangeKind::whole},
        RangeCase{"bytes=", 10, RangeKind::whole}, RangeCase{"bytes=-", 10, RangeKind::whole},
        RangeCase{"items=0-1", 10, RangeKind::whole},
        RangeCase{"bytes=99999999999999999999-", 10, RangeKind::whole}));

}  // namespace
}  // namespace rouse::ims
