#pragma once
// Text put together piece by piece in memory of its own; remembers that something did not fit. Nothing is
// cleared beforehand: on the packet path that would cost more than the writing.

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace rouse::dhcp {

template <std::size_t Capacity>
class BoundedText {
  public:
    void add(std::string_view part) noexcept {
        if (part.size() > Capacity - length_) {
            overflowed_ = true;
            return;
        }
        if (!part.empty()) std::memcpy(buffer_.data() + length_, part.data(), part.size());
        length_ += part.size();
    }
    // Empty when not all of it fitted.
    [[nodiscard]] std::string_view view() const noexcept {
        return overflowed_ ? std::string_view{} : std::string_view{buffer_.data(), length_};
    }
    [[nodiscard]] bool empty() const noexcept { return view().empty(); }

  private:
    std::array<char, Capacity> buffer_;
    std::size_t length_ = 0;
    bool overflowed_ = false;
};

}  // namespace rouse::dhcp
