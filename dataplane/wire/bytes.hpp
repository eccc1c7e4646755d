#pragma once
// Reading and writing structs in byte spans: always bounds-checked, always by memcpy, so no alignment or
// aliasing assumption about a packet's memory is ever made.

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace rouse::wire {

using ConstBytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// False, and OUT untouched, when there are fewer bytes. For what is read from every packet: compilers copy an
// optional struct several times over.
template <typename T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] bool load_into(T& out, ConstBytes bytes, std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
    std::memcpy(&out, bytes.data() + offset, sizeof out);
    return true;
}

template <typename T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::optional<T> load(ConstBytes bytes, std::size_t offset = 0) noexcept {
    T value;
    if (!load_into(value, bytes, offset)) return std::nullopt;
    return value;
}

// The caller has made room: writing headers of a frame whose size it chose itself.
template <typename T>
requires std::is_trivially_copyable_v<T>
void store(MutableBytes bytes, std::size_t offset, const T& value) noexcept {
    std::memcpy(bytes.subspan(offset, sizeof value).data(), &value, sizeof value);
}

inline void store_bytes(MutableBytes bytes, std::size_t offset, ConstBytes value) noexcept {
    if (value.empty()) return;  // memcpy takes no null, not even for nothing
    std::memcpy(bytes.subspan(offset, value.size()).data(), value.data(), value.size());
}

[[nodiscard]] inline std::string_view as_text(ConstBytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace rouse::wire
