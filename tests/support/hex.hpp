#pragma once
// Bytes written as hexadecimal digits, as packet tools print them.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::test {

inline std::vector<std::byte> from_hex(std::string_view digits) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::byte>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    if (digits.size() % 2 != 0) throw std::invalid_argument("odd number of digits");
    return bytes;
}

template <typename Bytes>
std::string to_hex(const Bytes& bytes) {
    std::string digits;
    for (const std::byte byte : bytes) {
        digits += "0123456789abcdef"[std::to_integer<int>(byte) >> 4];
        digits += "0123456789abcdef"[std::to_integer<int>(byte) & 0xf];
    }
    return digits;
}

}  // namespace rouse::test
