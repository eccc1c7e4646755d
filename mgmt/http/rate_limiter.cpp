#include "mgmt/http/rate_limiter.hpp"

#include "mgmt/http/login_limiter.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rouse::http {
namespace {

// Names and addresses share a map and never meet.
std::string key_of(const Request& request) {
    if (request.principal)
        return (request.principal->is_client ? "client " : "user ") + request.principal->user;
    const auto octets = client_network(request.peer).octets;
    return "at " + std::string(reinterpret_cast<const char*>(octets.data()), octets.size());
}

bool is_loopback(const IpAddress& address) {
    if (address.v4()) return address.octets[12] == 127;
    IpAddress loopback;
    loopback.octets[15] = 1;
    return address == loopback;
}

bool is_local(const Request& request) {
    return is_loopback(request.peer) &&
           (!request.principal || request.principal->roles.has(Role::administrator));
}

}  // namespace

OrProblem<void> RateLimiter::admit(const Request& request, Clock::time_point now) {
    if (limits_.per_second <= 0) return {};
    const bool local = is_local(request);
    const double rate = local ? std::max(limits_.local_per_second, limits_.per_second) : limits_.per_second;
    const double most = local ? std::max(rate, limits_.at_once) : std::max(limits_.at_once, 1.0);
    const std::string key = key_of(request);
    double missing = 0;
    {
        const std::lock_guard lock(mutex_);
        if (buckets_.size() >= kMostClients && !buckets_.contains(key)) make_room(now);
        auto& bucket = buckets_.try_emplace(key, Bucket{most, now}).first->second;
        const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
        bucket.left = std::min(most, bucket.left + rate * std::max(seconds, 0.0));
        bucket.filled = now;
        missing = 1 - bucket.left;
        if (missing <= 0) {
            bucket.left -= 1;
            return {};
        }
    }
    ++refused_;
    Problem problem{Status::too_many_requests,
                    "that is more than this client may ask for; wait and try again, or raise "
                    "api.requests_per_second",
                    {},
                    {}};
    problem.headers.add("Retry-After", std::to_string(static_cast<long>(std::ceil(missing / rate))));
    return tl::unexpected(std::move(problem));
}

std::size_t RateLimiter::clients() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
}

// Forgets who has saved up all that it may, else the half that has not asked for the longest time: many at
// once, so that it is seldom.
void RateLimiter::make_room(Clock::time_point now) {
    const auto full = std::chrono::duration<double>(limits_.at_once / limits_.per_second);
    if (std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.filled >= full; }) > 0)
        return;
    std::vector<Clock::time_point> asked;
    for (const auto& [key, bucket] : buckets_) asked.push_back(bucket.filled);
    const auto middle = asked.begin() + static_cast<std::ptrdiff_t>(asked.size() / 2);
    std::nth_element(asked.begin(), middle, asked.end());
    std::erase_if(buckets_, [&](const auto& entry) { return entry.second.filled <= *middle; });
}

}  // namespace rouse::http
