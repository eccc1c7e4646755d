#pragma once
// Boot file URLs (RFC 5970 3.1, RFC 3617, RFC 3986), built without allocation.

#include "shared/addresses.hpp"
#include "shared/store/records.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace rouse::dhcp6 {

class BootUrl {
  public:
    // tftp://[SERVER]/NAME: the form that EDK2 takes, an address in brackets and no port.
    [[nodiscard]] static BootUrl tftp(const Ipv6Address& server, std::string_view name) noexcept;
    // http://[SERVER]:PORT/boot/NAME, the port only when it is not 80.
    [[nodiscard]] static BootUrl http(const Ipv6Address& server, std::uint16_t port,
                                      std::string_view name) noexcept;

    // Empty when NAME is empty or longer than an ImageName.
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), length_}; }

  private:
    void append(std::string_view text) noexcept;
    void append_authority(std::string_view scheme, const Ipv6Address& server) noexcept;
    // What is neither unreserved (RFC 3986 2.3) nor a slash goes in percent-encoded.
    void append_path(std::string_view name) noexcept;

    static constexpr std::size_t kFixedParts = 72;  // scheme, brackets, 45 bytes of address, port, /boot/
    std::array<char, kFixedParts + 3 * store::ImageName::kMaxLength> text_{};
    std::size_t length_ = 0;
};

}  // namespace rouse::dhcp6
