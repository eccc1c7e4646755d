#pragma once
// What a profile's machines are given differs in one place, the boot line: the kernel's command line with the
// machine's own data. So a loader's configuration is stored once for a profile, as a frame, and each machine
// adds its line, whatever loader asks: a machine costs its line, however many names and loaders there are.
//
// A frame in table `rendered`: where the line goes (be32), then the text without it. A line: its bytes.

#include "shared/endian.hpp"
#include "shared/store/lmdb.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rouse::store {

// A frame with a line in it, read as one file. Views into the store's bytes; reading neither allocates nor
// fails but by its result.
class FramedText {
  public:
    // Nothing when FRAME is damaged.
    [[nodiscard]] static std::optional<FramedText> of(Bytes frame, Bytes line) noexcept {
        be32 offset;
        if (frame.size() < sizeof offset) return std::nullopt;
        std::memcpy(&offset, frame.data(), sizeof offset);
        const Bytes text = frame.subspan(sizeof offset);
        if (offset.host() > text.size()) return std::nullopt;
        return FramedText{text.first(offset.host()), line, text.subspan(offset.host())};
    }
    // The value of a frame.
    [[nodiscard]] static std::string encode(std::string_view before, std::string_view after) {
        const be32 offset(static_cast<std::uint32_t>(before.size()));
        std::string value(text_of(bytes_of(offset)));
        return value.append(before).append(after);
    }
    [[nodiscard]] static constexpr std::size_t text_bytes(std::size_t value_bytes) noexcept {
        return value_bytes - sizeof(be32);
    }

    // Fills OUT from OFFSET on; false when the text ends before it is full.
    [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> out) const noexcept {
        for (const Bytes part : {before_, line_, after_}) {
            const std::size_t skipped = std::min<std::uint64_t>(offset, part.size());
            const std::size_t n = std::min(part.size() - skipped, out.size());
            if (n > 0) std::memcpy(out.data(), part.data() + skipped, n);
            out = out.subspan(n);
            offset -= skipped;
        }
        return out.empty() && offset == 0;
    }

  private:
    FramedText(Bytes before, Bytes line, Bytes after) noexcept
        : before_(before), line_(line), after_(after) {}
    Bytes before_, line_, after_;
};

}  // namespace rouse::store
