#include "mgmt/o2ims/query/object_text.hpp"

namespace rouse::o2ims {

using nlohmann::json;

namespace {

// All of these: past the end is the text's size, whatever the text is.

// Past the string whose first quote is at AT.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (std::size_t end = at + 1;; ++end) {
        end = text.find('"', end);
        if (end == std::string_view::npos) return text.size();
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

bool is_name(std::string_view quoted, std::string_view name) {
    if (is_plain_string(quoted)) return quoted.substr(1, quoted.size() - 2) == name;
    const json parsed = parse_text(quoted);
    return parsed.is_string() && parsed.get_ref<const std::string&>() == name;
}

std::optional<std::string_view> member(std::string_view object, std::string_view name) {
    for (std::size_t at = 1; at < object.size() && object[at] == '"';) {
        const std::size_t colon = end_of_string(object, at);
        const std::size_t end = end_of_value(object, colon + 1);
        if (end > object.size() || colon + 1 >= end) return std::nullopt;
        if (is_name(object.substr(at, colon - at), name)) return object.substr(colon + 1, end - colon - 1);
        at = end + 1;  // after the comma, or past the object's end
    }
    return std::nullopt;
}

}  // namespace

std::optional<FoundText> find_in_text(std::string_view object, std::span<const std::string> names) {
    FoundText found{object};
    for (; found.depth < names.size() && found.value.starts_with('{'); ++found.depth) {
        const auto inner = member(found.value, names[found.depth]);
        if (!inner) return std::nullopt;
        found.value = *inner;
    }
    return found;
}

json parse_text(std::string_view value) {
    // Most are: a parser takes several times as long.
    if (is_plain_string(value)) return std::string(value.substr(1, value.size() - 2));
    return json::parse(value, nullptr, false);
}

}  // namespace rouse::o2ims
