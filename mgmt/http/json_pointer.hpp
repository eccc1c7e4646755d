#pragma once
// Steps of a JSON pointer (RFC 6901 3): what a field error's `pointer` is built of.

#include <cstddef>
#include <string>
#include <string_view>

namespace rouse::http {

[[nodiscard]] inline std::string pointer_step(std::string_view name) {
    std::string out = "/";
    for (const char c : name) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

[[nodiscard]] inline std::string pointer_step(std::size_t index) {
    return "/" + std::to_string(index);
}

}  // namespace rouse::http
