#include "mgmt/store/id.hpp"

#include "shared/clock.hpp"

#include <algorithm>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <openssl/rand.h>

namespace rouse::store {

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
    const std::uint64_t millis = realtime_ns() / kNanosPerMilli;
    for (std::size_t i = 0; i < 6; ++i) id.octets[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    id.octets[6] = static_cast<std::uint8_t>(0x70 | (id.octets[6] & 0x0f));
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
