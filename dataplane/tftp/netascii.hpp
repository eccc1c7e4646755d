#pragma once
// Netascii (RFC 1350 1, RFC 764): a line feed goes out as CR LF, a carriage return as CR NUL. Blocks cannot
// be computed from their number then, so such a transfer goes one block at a time (window 1) and remembers
// where in the file the block in flight begins and how many bytes of it the block took.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rouse::tftp {

struct TextPosition {
    std::uint64_t offset = 0;  // in the file, bytes
    bool half = false;         // the first of this byte's two output bytes is already out
};

struct TextBlock {
    std::size_t length = 0;  // bytes written to `out`; less than out.size() only at the end of the file
    TextPosition end{};      // where the next block begins
    bool read = false;       // false: read_at failed, `out` is of no use
};

// Fills `out` with the encoded file from `begin` on. read_at(offset, span) -> bool copies file bytes.
template <typename ReadAt>
[[nodiscard]] TextBlock encode_netascii(TextPosition begin, std::uint64_t size, std::span<std::byte> out,
                                        const ReadAt& read_at) noexcept {
    constexpr std::byte kCarriageReturn{'\r'};
    constexpr std::byte kLineFeed{'\n'};
    TextBlock block{0, begin, true};
    std::array<std::byte, 512> chunk;
    while (block.length < out.size() && block.end.offset < size) {
        const auto wanted = static_cast<std::size_t>(
            std::min<std::uint64_t>({chunk.size(), size - block.end.offset, out.size() - block.length}));
        if (!read_at(block.end.offset, std::span(chunk).first(wanted))) return {0, begin, false};
        for (std::size_t i = 0; i < wanted && block.length < out.size();) {
            const std::byte raw = chunk[i];
            const bool is_pair = raw == kLineFeed || raw == kCarriageReturn;
            if (is_pair && !block.end.half) {
                out[block.length++] = kCarriageReturn;
                block.end.half = true;
                continue;
            }
            out[block.length++] = raw == kCarriageReturn ? std::byte{0} : raw;
            block.end.half = false;
            ++block.end.offset;
            ++i;
        }
    }
    return block;
}

}  // namespace rouse::tftp
