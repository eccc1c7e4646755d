#include "mgmt/o2ims/query/object_text.hpp"

#include "mgmt/http/json_text.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

// All of these: past the end is the text's size, whatever the text is.

// The next quote from AT on. Most are less than twenty characters away: a call of memchr takes longer.
std::size_t find_quote(std::string_view text, std::size_t at) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = kOnes << 7, kQuotes = kOnes * '"';
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data() + at, sizeof eight);
        const std::uint64_t zero_is_quote = eight ^ kQuotes;
        const std::uint64_t found = (zero_is_quote - kOnes) & ~zero_is_quote & kHighs;
        if (found == 0) continue;
        if constexpr (std::endian::native != std::endian::little) break;
        return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    while (at < text.size() && text[at] != '"') ++at;
    return at;
}

// Past the string whose first quote is at AT.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (std::size_t end = at + 1;; ++end) {
        end = find_quote(text, end);
        if (end >= text.size()) return text.size();
        std::size_t escapes = 0;
        while (text[end - 1 - escapes] == '\\') ++escapes;
        if (escapes % 2 == 0) return end + 1;
    }
}

// Past the object or list that begins at AT.
std::size_t end_of_nested(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        switch (text[at]) {
            case '"':
                at = end_of_string(text, at);
                continue;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                if (--depth == 0) return at + 1;
                break;
            default:
                break;
        }
        ++at;
    }
    return text.size();
}

std::size_t end_of_value(std::string_view text, std::size_t at) {
    if (at >= text.size()) return text.size();
    if (text[at] == '"') return end_of_string(text, at);
    if (text[at] == '{' || text[at] == '[') return end_of_nested(text, at);
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']') ++at;
    return at;
}

bool is_plain_string(std::string_view value) {
    return value.size() >= 2 && value.front() == '"' && value.find('\\') == std::string_view::npos;
}

// Of the object that TEXT begins with: what follows NAME. It goes on to the end of TEXT, since an object that
// is gone through further needs not be gone through before.
std::optional<std::string_view> member(std::string_view text, std::string_view name) {
    for (std::size_t at = 1; at < text.size() && text[at] == '"';) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with(name) && rest.size() > name.size()) return rest.substr(name.size() + 1);
        const std::size_t end = end_of_value(text, end_of_string(text, at) + 1);
        if (end >= text.size() || text[end] != ',') return std::nullopt;
        at = end + 1;
    }
    return std::nullopt;
}

}  // namespace

std::string name_in_text(const std::string& name) {
    return http::to_text(name);
}

std::optional<FoundText> find_in_text(std::string_view object, std::span<const std::string> names) {
    FoundText found{object};
    for (; found.depth < names.size() && found.value.starts_with('{'); ++found.depth) {
        const auto inner = member(found.value, names[found.depth]);
        if (!inner) return std::nullopt;
        found.value = *inner;
    }
    found.value = found.value.substr(0, end_of_value(found.value, 0));
    return found;
}

bool any_element(std::string_view list, const std::function<bool(std::string_view)>& test) {
    for (std::size_t at = 1; at < list.size() && list[at] != ']';) {
        const std::size_t end = end_of_value(list, at);
        if (test(list.substr(at, end - at))) return true;
        at = end + 1;  // after the comma, or past the list's end
    }
    return false;
}

json parse_text(std::string_view value) {
    // Most are: a parser takes several times as long.
    if (is_plain_string(value)) return std::string(value.substr(1, value.size() - 2));
    return json::parse(value, nullptr, false);
}

}  // namespace rouse::o2ims
