#pragma once
// A string of bounded length inside a fixed-layout record: NUL-padded, and at least one NUL at its end.

#include <algorithm>
#include <array>
#include <string_view>

namespace rouse {

template <std::size_t Capacity>
class FixedString {
  public:
    static constexpr std::size_t kMaxLength = Capacity - 1;

    // False, and nothing changed, when VALUE is too long or holds a NUL: callers say so, they do not cut.
    [[nodiscard]] constexpr bool assign(std::string_view value) noexcept {
        if (value.size() > kMaxLength || value.find('\0') != std::string_view::npos) return false;
        bytes_ = {};
        std::copy(value.begin(), value.end(), bytes_.begin());
        return true;
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept {
        return {bytes_.data(),
                static_cast<std::size_t>(std::find(bytes_.begin(), bytes_.end(), '\0') - bytes_.begin())};
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return bytes_[0] == '\0'; }
    [[nodiscard]] constexpr bool is_terminated() const noexcept { return bytes_.back() == '\0'; }

    friend constexpr bool operator==(const FixedString&, const FixedString&) noexcept = default;

  private:
    std::array<char, Capacity> bytes_{};
};

}  // namespace rouse
