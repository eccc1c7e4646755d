#pragma once
// The Internet checksum (RFC 1071).

#include "dataplane/wire/bytes.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace rouse::wire {

// A running one's complement sum of 16-bit words in host order of the bytes as they lie in memory; the sum is
// byte-order independent (RFC 1071 2.B), so only the final result is stored, as is.
class ChecksumSum {
  public:
    // An odd tail counts as if a zero byte followed: only the last part added may have odd length.
    void add(ConstBytes bytes) noexcept {
        const std::byte* at = bytes.data();
        std::size_t left = bytes.size();
        // Four sums side by side, so that none waits for another's carry.
        std::uint64_t second = 0;
        std::uint64_t third = 0;
        std::uint64_t fourth = 0;
        for (; left >= 32; at += 32, left -= 32) {
            sum_ = plus(sum_, word_at(at));
            second = plus(second, word_at(at + 8));
            third = plus(third, word_at(at + 16));
            fourth = plus(fourth, word_at(at + 24));
        }
        sum_ = plus(plus(sum_, second), plus(third, fourth));
        for (; left >= 8; at += 8, left -= 8) sum_ = plus(sum_, word_at(at));
        // The tail by its binary digits: a copy of unknown length is a loop over bytes.
        if ((left & 4) != 0) at = add_part<std::uint32_t>(at);
        if ((left & 2) != 0) at = add_part<std::uint16_t>(at);
        if ((left & 1) != 0) add_part<std::uint8_t>(at);
    }
    // A length of whole 32-bit words that is known when this is compiled; no more than 64 KiB.
    template <std::size_t Length>
    requires(Length % sizeof(std::uint32_t) == 0 &&
             Length <= 65536) void add_words(std::span<const std::byte, Length> bytes) noexcept {
        std::array<std::uint32_t, Length / sizeof(std::uint32_t)> words;
        std::memcpy(words.data(), bytes.data(), Length);
        std::uint64_t sum = 0;  // of so few that nothing is carried
        for (const std::uint32_t word : words) sum += word;
        sum_ = plus(sum_, sum);
    }
    constexpr void add_word(std::uint16_t network_order_bits) noexcept {
        sum_ = plus(sum_, network_order_bits);
    }

    // The folded sum; 0xffff over data that includes a correct checksum.
    [[nodiscard]] constexpr std::uint16_t folded() const noexcept {
        std::uint64_t sum = sum_;
        sum = (sum & 0xffffffff) + (sum >> 32);
        sum = (sum & 0xffffffff) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<std::uint16_t>(sum);
    }
    // What goes into the checksum field, bytes as they are to lie in memory.
    [[nodiscard]] constexpr std::uint16_t checksum() const noexcept {
        return static_cast<std::uint16_t>(~folded());
    }

  private:
    template <typename Part>
    const std::byte* add_part(const std::byte* at) noexcept {
        Part part;
        std::memcpy(&part, at, sizeof part);
        sum_ = plus(sum_, part);
        return at + sizeof part;
    }
    static std::uint64_t word_at(const std::byte* at) noexcept {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        return word;
    }
    // One's complement: the carry is added back in. On 64 bits it folds to the same sum as on 16 (RFC 1071
    // 2.C).
    static constexpr std::uint64_t plus(std::uint64_t a, std::uint64_t b) noexcept {
        const std::uint64_t sum = a + b;
        return sum + (sum < b ? 1 : 0);
    }
    std::uint64_t sum_ = 0;
};

}  // namespace rouse::wire
