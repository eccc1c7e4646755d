#pragma once
// What the appliance knows about itself on the rack network.

#include "shared/addresses.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace rouse::boot {

// Thread safe: the address may be learnt after the start, when the rack's interface comes up.
class Appliance {
  public:
    explicit Appliance(Ipv4Address address = {}, std::uint16_t port = 80) noexcept
        : address_(address.host()), port_(port) {}

    void set(Ipv4Address address, std::uint16_t port) noexcept {
        port_ = port;
        address_ = address.host();
    }
    // Zero while it is not known.
    [[nodiscard]] Ipv4Address address() const noexcept { return Ipv4Address::from_host(address_); }
    // Of the rack side's HTTP listener, as machines reach it: "http://10.77.0.1"; empty while not known.
    [[nodiscard]] std::string url() const {
        if (address().is_zero()) return {};
        const std::string base = "http://" + address().to_string();
        return port_ == 80 ? base : base + ":" + std::to_string(port_);
    }

  private:
    std::atomic<std::uint32_t> address_;
    std::atomic<std::uint16_t> port_;
};

}  // namespace rouse::boot
