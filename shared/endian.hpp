#pragma once
// Integers in network byte order, so that forgetting ntohs does not compile.

#include <array>
#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace rouse {

template <std::unsigned_integral T>
[[nodiscard]] constexpr T byte_swap(T value) noexcept {
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

// Bytes as they stand on the wire; alignment 1, so it may be a member of any wire format's struct.
// Ordering and equality are those of the number (big endian bytes compare like it).
template <std::unsigned_integral T>
class BigEndian {
  public:
    constexpr BigEndian() noexcept = default;
    constexpr BigEndian(T host) noexcept  // NOLINT(google-explicit-constructor): a number is a number
        : bytes_(std::bit_cast<Bytes>(byte_swap(host))) {}

    [[nodiscard]] constexpr T host() const noexcept { return byte_swap(std::bit_cast<T>(bytes_)); }

    friend constexpr auto operator<=>(const BigEndian&, const BigEndian&) noexcept = default;
    friend constexpr bool operator==(const BigEndian&, const BigEndian&) noexcept = default;

  private:
    using Bytes = std::array<std::uint8_t, sizeof(T)>;
    Bytes bytes_{};
};

using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;
using be64 = BigEndian<std::uint64_t>;

static_assert(std::endian::native == std::endian::little, "rouse is built for little endian hosts");
static_assert(sizeof(be16) == 2 && alignof(be32) == 1);

}  // namespace rouse
