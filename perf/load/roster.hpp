#pragma once
// Who is who in the rack: hardware addresses in a row, IP addresses as the server gave them.

#include "shared/addresses.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace rouse::load {

class Roster {
  public:
    Roster(const MacAddress& first, std::uint32_t machines) noexcept
        : first_(number_of(first)), machines_(machines) {}

    [[nodiscard]] MacAddress mac_of(std::uint32_t machine) const noexcept {
        MacAddress mac;
        std::uint64_t number = first_ + machine;
        for (std::size_t i = 6; i-- > 0; number >>= 8) mac.octets[i] = static_cast<std::uint8_t>(number);
        return mac;
    }
    [[nodiscard]] std::optional<std::uint32_t> find(const MacAddress& mac) const noexcept {
        const std::uint64_t index = number_of(mac) - first_;
        return index < machines_ ? std::optional(static_cast<std::uint32_t>(index)) : std::nullopt;
    }
    [[nodiscard]] std::optional<std::uint32_t> find(Ipv4Address address) const {
        const auto found = holders_.find(address.host());
        return found == holders_.end() ? std::nullopt : std::optional(found->second);
    }
    // The machine has the address from now on, whoever had it.
    void settle(std::uint32_t machine, Ipv4Address address) {
        holders_.insert_or_assign(address.host(), machine);
    }

  private:
    static constexpr std::uint64_t number_of(const MacAddress& mac) noexcept {
        std::uint64_t number = 0;
        for (const auto octet : mac.octets) number = number << 8 | octet;
        return number;
    }

    std::uint64_t first_;
    std::uint64_t machines_;
    std::unordered_map<std::uint32_t, std::uint32_t> holders_;
};

}  // namespace rouse::load
