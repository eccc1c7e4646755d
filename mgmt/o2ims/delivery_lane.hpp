#pragma once
// A subscription and how far it has been told: what both parts of Delivery work on.

#include "mgmt/o2ims/delivery.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <string>

namespace rouse::o2ims {

inline constexpr int kSleepMs = 250;  // at most; whoever appends wakes us

// The delivery's thread alone uses it.
struct Delivery::Lane {
    // As the subscription says.
    store::Id id;
    std::string service, callback, consumer, filter;
    Excludes excludes;        // by its filter; empty: nothing
    std::string forbidden;    // what the policy has against the callback; empty: nothing
    bool is_trusted = false;  // token and certificate are shown there

    web::Easy easy = web::make_easy();
    web::HeaderFields fields;
    std::array<char, CURL_ERROR_SIZE> why{};
    std::string body;  // that is under way

    std::deque<LoggedNotification> queue;  // the first is the one that is told now
    std::uint64_t position = 0;            // told, or not for it, up to this number
    std::uint64_t read_to = 0;             // the queue holds what is to be told up to this number
    std::uint64_t noted = 0;               // position as it is stored

    bool is_busy = false;
    bool is_overrun = false;          // the log has forgotten some of it since it took one last
    bool has_renewed = false;         // the token, since the last failure
    unsigned failures = 0;            // in a row
    unsigned refusals = 0;            // of the first in the queue
    std::uint64_t token = 0;          // number of the one that is under way; 0: none
    std::uint64_t refused_token = 0;  // number of the last that it has refused
    std::uint64_t due_ns = 0;         // monotonic; not before
    std::string told_why;             // of the last failure that was logged
};

}  // namespace rouse::o2ims
