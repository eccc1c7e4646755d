#include "perf/load/histogram.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace rouse::load {
namespace {

TEST(Histogram, OfNothingHasNoValues) {
    const Histogram histogram;
    EXPECT_EQ(histogram.total(), 0U);
    EXPECT_EQ(histogram.percentile(0.5), 0U);
    EXPECT_EQ(histogram.max(), 0U);
}

TEST(Histogram, SmallValuesAreExact) {
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 50; ++value) histogram.count(value);
    EXPECT_EQ(histogram.percentile(0.5), 25U);
    EXPECT_EQ(histogram.percentile(0.02), 1U);
    EXPECT_EQ(histogram.percentile(1.0), 50U);
}

// Against the sorted values themselves, over nine orders of magnitude.
TEST(Histogram, PercentilesAreExactToTheWidthOfABucket) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> exponent(0, 30);
    std::vector<std::uint64_t> values;
    Histogram histogram;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(static_cast<std::uint64_t>(std::exp2(exponent(random))));
        histogram.count(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()))) - 1;
        const auto exact = static_cast<double>(values[rank]);
        const auto told = static_cast<double>(histogram.percentile(share));
        EXPECT_GE(told, exact) << share;
        EXPECT_LE(told, exact * (1 + 1.0 / 64) + 1) << share;
    }
    EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, TheLargestValueHasAPlace) {
    Histogram histogram;
    histogram.count(~std::uint64_t{0});
    EXPECT_EQ(histogram.percentile(0.5), ~std::uint64_t{0});
}

TEST(Histogram, TwoAddUp) {
    Histogram a;
    Histogram b;
    a.count(10);
    b.count(1'000'000);
    a.add(b);
    EXPECT_EQ(a.total(), 2U);
    EXPECT_EQ(a.percentile(0.5), 10U);
    EXPECT_EQ(a.max(), 1'000'000U);
}

}  // namespace
}  // namespace rouse::load
