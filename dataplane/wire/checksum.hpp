#pragma once
// The Internet checksum (RFC 1071).

#include "dataplane/wire/bytes.hpp"

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
        // Eight bytes an addition, its carry added back in: one's complement arithmetic on 64 bits folds to
        // the same sum as on 16 (RFC 1071 2.C).
        for (; left >= 8; at += 8, left -= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            add_wide(word);
        }
        // The tail by its binary digits: a copy of unknown length is a loop over bytes.
        if ((left & 4) != 0) at = add_part<std::uint32_t>(at);
        if ((left & 2) != 0) at = add_part<std::uint16_t>(at);
        if ((left & 1) != 0) add_part<std::uint8_t>(at);
    }
    constexpr void add_word(std::uint16_t network_order_bits) noexcept { add_wide(network_order_bits); }

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
        add_wide(part);
        return at + sizeof part;
    }
    constexpr void add_wide(std::uint64_t word) noexcept {
        sum_ += word;
        sum_ += sum_ < word ? 1 : 0;
    }
    std::uint64_t sum_ = 0;
};

}  // namespace rouse::wire
