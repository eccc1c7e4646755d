#include "mgmt/http/stream_tickets.hpp"

#include <array>
#include <stdexcept>

#include <openssl/rand.h>

namespace rouse::http {
namespace {

std::string random_text() {
    std::array<unsigned char, 32> random;
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw std::runtime_error("the system has no randomness to give");
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : random) {
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

}  // namespace

std::optional<std::string> StreamTickets::issue(Principal principal, std::optional<std::int64_t> expires,
                                                Time now) {
    const std::lock_guard lock(mutex_);
    std::erase_if(tickets_, [now](const auto& entry) { return entry.second.until <= now; });
    if (tickets_.size() >= kMaxTickets) return std::nullopt;
    auto ticket = random_text();
    tickets_.emplace(ticket, Ticket{std::move(principal), expires, now + kLife});
    return ticket;
}

std::optional<Principal> StreamTickets::spend(const std::string& ticket, Time now) {
    const std::lock_guard lock(mutex_);
    const auto found = tickets_.find(ticket);
    if (found == tickets_.end() || found->second.spent || found->second.until <= now) return std::nullopt;
    found->second.spent = true;
    return found->second.principal;
}

std::optional<std::int64_t> StreamTickets::take_expiry(const std::string& ticket) {
    const std::lock_guard lock(mutex_);
    const auto found = tickets_.find(ticket);
    if (found == tickets_.end() || !found->second.spent) return std::nullopt;
    const auto expires = found->second.expires;
    tickets_.erase(found);
    return expires;
}

}  // namespace rouse::http
