#pragma once
// What the appliance knows about itself on the rack network.

#include "shared/addresses.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rouse::boot {

// Thread safe: the address may be learnt after the start, when the rack's interface comes up.
class Appliance {
  public:
    explicit Appliance(Ipv4Address address = {}, std::uint16_t port = 80) noexcept
        : address_(address.host()), port_(port) {}

    // By which name other appliances know it, and whether it follows one of them, its centre: then it serves
    // what was planned there, and plans nothing itself. Once, before any other thread sees it.
    void introduce(std::string id, bool is_worker) {
        id_ = std::move(id);
        is_worker_ = is_worker;
    }
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] bool is_worker() const noexcept { return is_worker_; }

    // Where other appliances are on the rack: no machine may have these addresses.
    void set_others(std::vector<Ipv4Address> addresses) {
        const std::lock_guard lock(mutex_);
        others_ = std::move(addresses);
    }
    // Its own, or another appliance's.
    [[nodiscard]] bool is_appliance(Ipv4Address address) const {
        if (address == this->address()) return true;
        const std::lock_guard lock(mutex_);
        return std::find(others_.begin(), others_.end(), address) != others_.end();
    }

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
    std::string id_;
    bool is_worker_ = false;
    mutable std::mutex mutex_;
    std::vector<Ipv4Address> others_;
};

}  // namespace rouse::boot
