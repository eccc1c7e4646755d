#pragma once
// Durations counted in buckets whose width grows with the value, as in HdrHistogram: percentiles are exact to
// 1.6 %, however long the tail, and counting one is an increment.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace rouse::load {

class Histogram {
  public:
    void count(std::uint64_t ns) noexcept {
        ++buckets_[index_of(ns)];
        ++total_;
        max_ = std::max(max_, ns);
    }
    void add(const Histogram& other) noexcept {
        for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
        total_ += other.total_;
        max_ = std::max(max_, other.max_);
    }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

    // The least value that SHARE (0 … 1) of all values do not exceed, rounded up to its bucket's end; 0 of
    // none.
    [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
        const auto wanted = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_))));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i)
            if ((seen += buckets_[i]) >= wanted) return std::min(end_of(i), max_);
        return max_;
    }

  private:
    // Values below 2^kFineBits have a bucket each; above, each doubling is cut into 2^kFineBits buckets.
    static constexpr unsigned kFineBits = 6;
    static constexpr std::size_t kFine = std::size_t{1} << kFineBits;

    static std::size_t index_of(std::uint64_t value) noexcept {
        if (value < kFine) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kFineBits;
        return (std::size_t{shift} + 1) * kFine + ((value >> shift) - kFine);
    }
    static std::uint64_t end_of(std::size_t index) noexcept {
        if (index < kFine) return index;
        const std::size_t shift = index / kFine - 1;
        return ((index % kFine + kFine + 1) << shift) - 1;
    }

    std::array<std::uint64_t, (64 - kFineBits + 1) * kFine> buckets_{};
    std::uint64_t total_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace rouse::load
