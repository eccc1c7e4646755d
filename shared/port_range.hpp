#pragma once
// Consecutive UDP ports: those that TFTP transfers use, one each (RFC 1350 4).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rouse {

struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t count = 0;  // 0: none at all

    // "61440-65535", both ends included. Nothing for what is not that, for port 0, and for ends in the wrong
    // order.
    [[nodiscard]] static constexpr std::optional<PortRange> parse(std::string_view text) noexcept {
        const std::size_t dash = text.find('-');
        if (dash == std::string_view::npos) return std::nullopt;
        const auto first = number(text.substr(0, dash));
        const auto last = number(text.substr(dash + 1));
        if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
        return PortRange{*first, static_cast<std::uint16_t>(*last - *first + 1)};
    }
    [[nodiscard]] std::string to_string() const {
        return std::to_string(first) + "-" + std::to_string(last());
    }

    [[nodiscard]] constexpr bool contains(std::uint16_t port) const noexcept {
        return static_cast<std::uint16_t>(port - first) < count;
    }
    // Of a range that is not empty.
    [[nodiscard]] constexpr std::uint16_t last() const noexcept {
        return static_cast<std::uint16_t>(first + count - 1);
    }
    [[nodiscard]] constexpr bool overlaps(const PortRange& other) const noexcept {
        return count > 0 && other.count > 0 && first <= other.last() && other.first <= last();
    }
    // What is worker INDEX's of WORKERS equal shares, which no other worker has: whoever steers by
    // destination port leads all of a transfer's packets to its worker. Where range and workers are powers of
    // two, and the range begins at a multiple of its length, one mask over the port tells the worker.
    [[nodiscard]] constexpr PortRange share(unsigned index, unsigned workers) const noexcept {
        const unsigned each = count / workers;
        return {static_cast<std::uint16_t>(first + index * each), static_cast<std::uint16_t>(each)};
    }

    friend constexpr bool operator==(const PortRange&, const PortRange&) noexcept = default;

  private:
    static constexpr std::optional<std::uint16_t> number(std::string_view text) noexcept {
        if (text.empty() || text.size() > 5) return std::nullopt;
        std::uint32_t value = 0;
        for (const char c : text) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + static_cast<std::uint32_t>(c - '0');
        }
        return value <= 0xffff ? std::optional(static_cast<std::uint16_t>(value)) : std::nullopt;
    }
};

}  // namespace rouse
