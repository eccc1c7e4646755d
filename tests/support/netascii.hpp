#pragma once
// What a text looks like as netascii (RFC 764), by other means than the server's.

#include <string>
#include <string_view>

namespace rouse::test {

inline std::string netascii(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
        if (c == '\r') out += '\0';
    }
    return out;
}

}  // namespace rouse::test
