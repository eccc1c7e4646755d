#pragma once
// What clients wrote, made fit for people and logs, and a short mark to know a request again by.

#include "shared/event.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rouse::tftp {

// Printable ASCII; anything else becomes '?'. As much as fits.
inline void copy_printable(std::string_view from, std::span<char> to) noexcept {
    const std::size_t count = std::min(from.size(), to.size());
    std::transform(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count), to.begin(),
                   [](char c) { return c >= 0x20 && c < 0x7f ? c : '?'; });
}

// The event's text and, if there are any, the client's own words.
inline void set_printable(Event& event, std::string_view name, std::string_view words = {}) noexcept {
    event.set_text(name);
    event.set_words(words);
    copy_printable(event.get_text(), event.text);
    copy_printable(event.get_words(), event.words);
}

// FNV-1a over a datagram's bytes.
[[nodiscard]] inline std::uint32_t fingerprint(std::span<const std::byte> bytes) noexcept {
    std::uint32_t hash = 0x811c9dc5;
    for (const std::byte byte : bytes) hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x01000193;
    return hash;
}

}  // namespace rouse::tftp
