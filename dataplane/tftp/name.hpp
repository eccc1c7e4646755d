#pragma once
// File names as clients spell them, brought into the form in which the catalogue knows them.

#include <array>
#include <cstddef>
#include <string_view>

namespace rouse::tftp {

inline constexpr std::size_t kMaxNameBytes = 127;  // store::ImageName holds no longer one

// A name in the catalogue's spelling. Empty: no name in the catalogue can be meant.
class Name {
  public:
    // `\` is `/`; leading and doubled slashes go; a "." or ".." segment, a control character or more than
    // kMaxNameBytes make it empty.
    explicit Name(std::string_view as_sent) noexcept;

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), length_}; }

  private:
    std::array<char, kMaxNameBytes> bytes_{};
    std::size_t length_ = 0;
};

}  // namespace rouse::tftp
