#include "mgmt/cli/kind.hpp"

#include "mgmt/http/uri.hpp"

#include <algorithm>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

// "/dns_servers/2": the member's name, and which of its elements.
struct Place {
    std::string field, rest;
};

Place parse_pointer(std::string pointer) {
    if (pointer.starts_with('/')) pointer.erase(0, 1);
    const auto slash = std::min(pointer.find('/'), pointer.size());
    return {pointer.substr(0, slash), pointer.substr(std::min(slash + 1, pointer.size()))};
}

}  // namespace

std::string Member::flag() const {
    if (!is_position()) return option;
    std::string name = "--" + field;
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

const Member* Kind::find(const std::string& field) const {
    const auto found =
        std::find_if(members.begin(), members.end(), [&field](const Member& m) { return m.field == field; });
    return found == members.end() ? nullptr : &*found;
}

std::string Kind::path_of(const std::string& id) const {
    if (single) return path;
    // An image's name may end in anything, so nothing is appended to it.
    return name_is_id && noun == "image" ? path + http::percent_encode(id, "/")
                                         : path + http::percent_encode(id) + "/";
}

std::string Kind::position() const {
    return upper_case(noun);
}

std::string Kind::name_of(const nlohmann::json& object) const {
    return names.empty() ? noun : plain_text(object, names.front());
}

std::string upper_case(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

const Kind* find_kind(const std::string& noun) {
    const auto found = std::find_if(kinds().begin(), kinds().end(),
                                    [&noun](const Kind& candidate) { return candidate.noun == noun; });
    return found == kinds().end() ? nullptr : &*found;
}

const Kind& kind(const std::string& noun) {
    const Kind* found = find_kind(noun);
    if (found == nullptr) throw std::logic_error("no kind is called " + noun);
    return *found;
}

Failure by_options(Failure failure, const Kind& kind, bool adding) {
    if (failure.faults.empty()) return failure;
    failure.message = "the appliance refused it:";
    for (const auto& [pointer, detail] : failure.faults) {
        const auto place = parse_pointer(pointer);
        const Member* member = kind.find(place.field);
        std::string name = place.field.empty() ? "the " + kind.title : place.field;
        if (member != nullptr) name = adding ? member->option : member->flag();
        if (!place.rest.empty()) name += " (" + place.rest + ")";
        failure.message += "\n  " + name + " " + detail;
    }
    return failure;
}

}  // namespace rouse::cli
