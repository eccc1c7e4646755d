#include "mgmt/http/headers.hpp"

#include <algorithm>

namespace rouse::http {
namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::set(std::string_view name, std::string value) {
    std::erase_if(fields_, [name](const Field& field) { return equal_ignoring_case(field.first, name); });
    add(std::string(name), std::move(value));
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields_)
        if (equal_ignoring_case(key, name)) return value;
    return std::nullopt;
}

}  // namespace rouse::http
