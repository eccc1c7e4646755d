#include "mgmt/http/entity_tag.hpp"

namespace rouse::http {
namespace {

constexpr std::string_view kBlank = " \t";

// Calls VISIT(tag, is_weak) for each element of a list; malformed rest is as if it were not there.
template <typename F>
bool any_tag(std::string_view header, const F& visit) {
    for (;;) {
        const auto start = header.find_first_not_of(" \t,");
        if (start == std::string_view::npos) return false;
        header.remove_prefix(start);
        const bool is_weak = header.starts_with("W/");
        if (is_weak) header.remove_prefix(2);
        const auto end = header.starts_with('"') ? header.find('"', 1) : std::string_view::npos;
        if (end == std::string_view::npos) return false;
        if (visit(header.substr(0, end + 1), is_weak)) return true;
        header.remove_prefix(end + 1);
    }
}

bool is_any(std::string_view header) {
    const auto first = header.find_first_not_of(kBlank);
    return first != std::string_view::npos &&
           header.substr(first, header.find_last_not_of(kBlank) - first + 1) == "*";
}

}  // namespace

std::string revision_tag(std::uint64_t revision) {
    return "\"" + std::to_string(revision) + "\"";
}

bool lists_tag(std::string_view header, std::string_view tag) {
    return is_any(header) || any_tag(header, [tag](std::string_view listed, bool) { return listed == tag; });
}

bool lists_strong_tag(std::string_view header, std::string_view tag) {
    return is_any(header) || any_tag(header, [tag](std::string_view listed, bool is_weak) {
               return !is_weak && listed == tag;
           });
}

}  // namespace rouse::http
