#include "mgmt/http/login_limiter.hpp"

#include <algorithm>

namespace rouse::http {

IpAddress client_network(IpAddress address) noexcept {
    if (!address.v4()) std::fill(address.octets.begin() + 8, address.octets.end(), std::uint8_t{0});
    return address;
}

std::optional<std::chrono::seconds> LoginLimiter::blocked_for(const IpAddress& peer, Time now) {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(client_network(peer));
    if (found == peers_.end() || found->second.count < kMaxFailures) return std::nullopt;
    const auto left = found->second.since + kWindow - now;
    if (left > Time::duration::zero()) return std::chrono::ceil<std::chrono::seconds>(left);
    peers_.erase(found);
    return std::nullopt;
}

void LoginLimiter::failed(const IpAddress& peer, Time now) {
    const IpAddress network = client_network(peer);
    const std::lock_guard lock(mutex_);
    if (peers_.size() >= kMaxPeers && !peers_.contains(network)) make_room(now);
    auto& failures = peers_[network];
    if (failures.count == 0 || now - failures.since >= kWindow) failures = {0, now};
    ++failures.count;
}

std::size_t LoginLimiter::peers() const {
    const std::lock_guard lock(mutex_);
    return peers_.size();
}

// Forgets those whose window has passed, else the one that began first.
void LoginLimiter::make_room(Time now) {
    if (std::erase_if(peers_, [now](const auto& peer) { return now - peer.second.since >= kWindow; }) > 0)
        return;
    peers_.erase(std::min_element(peers_.begin(), peers_.end(), [](const auto& a, const auto& b) {
        return a.second.since < b.second.since;
    }));
}

}  // namespace rouse::http
