#pragma once
// One-time tickets for browsers, whose EventSource and WebSocket cannot send an Authorization header: asked
// for with the access token, spent within seconds in the stream's URL. In a log such a URL is worth nothing.

#include "mgmt/http/role.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace rouse::http {

// Thread safe; bounded memory.
class StreamTickets {
  public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kLife{30};
    static constexpr std::size_t kMaxTickets = 4096;

    // Nothing when there are too many that nobody has spent.
    [[nodiscard]] std::optional<std::string> issue(Principal principal, std::optional<std::int64_t> expires,
                                                   Time now);
    // Whose ticket it is; the second time nobody's.
    [[nodiscard]] std::optional<Principal> spend(const std::string& ticket, Time now);
    // When the token ends that a spent ticket was got with, seconds since 1970. Forgets the ticket.
    [[nodiscard]] std::optional<std::int64_t> take_expiry(const std::string& ticket);

  private:
    struct Ticket {
        Principal principal;
        std::optional<std::int64_t> expires;
        Time until;
        bool spent = false;
    };
    std::mutex mutex_;
    std::map<std::string, Ticket> tickets_;
};

}  // namespace rouse::http
