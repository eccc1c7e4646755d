#pragma once
// Slows down guessing: failed logins per peer address, of IPv6 per /64, which one client has whole.

#include "shared/addresses.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

namespace rouse::http {

// What one client can choose its address from: of IPv6 the /64, else the address alone.
[[nodiscard]] IpAddress client_network(IpAddress address) noexcept;

// Thread safe; bounded memory.
class LoginLimiter {
  public:
    static constexpr unsigned kMaxFailures = 10;  // within one window
    static constexpr std::chrono::seconds kWindow{60};
    static constexpr std::size_t kMaxPeers = 4096;
    using Time = std::chrono::steady_clock::time_point;

    // How long PEER has to wait before it may try again; nothing: it may now.
    [[nodiscard]] std::optional<std::chrono::seconds> blocked_for(const IpAddress& peer, Time now);
    void failed(const IpAddress& peer, Time now);
    [[nodiscard]] std::size_t peers() const;

  private:
    struct Failures {
        unsigned count = 0;
        Time since;
    };
    void make_room(Time now);

    mutable std::mutex mutex_;
    std::map<IpAddress, Failures> peers_;
};

}  // namespace rouse::http
