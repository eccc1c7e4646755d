#pragma once
// CRC-32C (RFC 3720 12.1), at the speed of memory: what tells that a file came as it is.

#include <cstddef>
#include <cstdint>
#include <span>

#include <isa-l/crc.h>

namespace rouse::load {

// CRC of all bytes so far, then BYTES; 0 of none.
[[nodiscard]] inline std::uint32_t extend_crc(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
    // The library takes no pointer to const, and changes nothing.
    auto* start = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
    return bytes.empty() ? crc : ~crc32_iscsi(start, static_cast<int>(bytes.size()), ~crc);
}

}  // namespace rouse::load
