#include "mgmt/store/id.hpp"

#include "shared/clock.hpp"

#include <algorithm>
#include <atomic>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <openssl/rand.h>

namespace rouse::store {
namespace {

constexpr unsigned kCounterBits = 12;

// Milliseconds since 1970 and a counter within each; always more than the last time, whatever the clock does
// (RFC 9562 6.2, method 1: a counter that overflows goes into the next millisecond).
std::uint64_t next_moment() {
    static std::atomic<std::uint64_t> last{0};
    const std::uint64_t now = realtime_ns() / kNanosPerMilli << kCounterBits;
    std::uint64_t before = last.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do next = std::max(now, before + 1);
    while (!last.compare_exchange_weak(before, next, std::memory_order_relaxed));
    return next;
}

}  // namespace

Id Id::before(std::uint64_t millis) {
    Id id;
    for (std::size_t i = 0; i < 6; ++i) id.octets[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    return id;
}

Id Id::make() {
    Id id;
    // OpenSSL seeds itself from the kernel and stops the process's randomness rather than weaken it.
    if (RAND_bytes(id.octets.data(), static_cast<int>(id.octets.size())) != 1)
        throw std::runtime_error("the system has no randomness to give");
    const std::uint64_t moment = next_moment();
    const std::uint64_t millis = moment >> kCounterBits;
    for (std::size_t i = 0; i < 6; ++i) id.octets[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    id.octets[6] = static_cast<std::uint8_t>(0x70 | (moment >> 8 & 0x0f));
    id.octets[7] = static_cast<std::uint8_t>(moment);
    id.octets[8] = static_cast<std::uint8_t>(0x80 | (id.octets[8] & 0x3f));
    return id;
}

std::optional<Id> Id::parse(std::string_view text) {
    // The generator also takes braces and missing dashes: one spelling per object is enough.
    if (text.size() != 36) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0)
            return std::nullopt;
    }
    const boost::uuids::uuid parsed = boost::uuids::string_generator{}(text.begin(), text.end());
    Id id;
    std::copy(parsed.begin(), parsed.end(), id.octets.begin());
    return id;
}

std::string Id::to_string() const {
    boost::uuids::uuid uuid{};
    std::copy(octets.begin(), octets.end(), uuid.begin());
    return boost::uuids::to_string(uuid);
}

}  // namespace rouse::store
