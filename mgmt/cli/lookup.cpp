// From what people call things to the ids that the API wants.

#include "mgmt/cli/command.hpp"
#include "mgmt/http/uri.hpp"
#include "shared/addresses.hpp"

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

bool is_id(const std::string& text) {
    return text.size() == 36 && text[8] == '-' && text[13] == '-' &&
           text.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
}

// "mac=52:54:…", "hostname=node1": the filter that finds TEXT among KIND's objects.
std::string filter_for(const Kind& kind, const std::string& text) {
    for (const auto& name : kind.names) {
        if (name == "mac" || name == "mac_address")
            if (const auto mac = MacAddress::parse(text))
                return name + "=" + http::percent_encode(mac->to_string());
        if (name == "ip" && Ipv4Address::parse(text)) return "ip=" + text;
    }
    return kind.names.front() + "=" + http::percent_encode(text);
}

std::string how_to_list(const Kind& kind) {
    return "rousectl " + kind.noun + " list";
}

// The objects that share a name, each with what tells it from the others.
std::string candidates(const Kind& kind, const json& found) {
    constexpr std::size_t kShown = 10;
    std::string out;
    for (std::size_t i = 0; i < found.size() && i < kShown; ++i) {
        out += "\n  " + plain_text(found[i], "id");
        for (const auto& name : kind.names) out += "  " + plain_text(found[i], name);
    }
    return found.size() > kShown ? out + "\n  …" : out;
}

}  // namespace

OrFailure<std::string> find_id(Session& session, const Kind& kind, const std::string& text) {
    if (is_id(text)) return text;
    const std::string filter = filter_for(kind, text);
    if (kind.name_is_id && filter.starts_with(kind.names.front())) return text;
    const auto found = session.get_list(kind.path + "?" + filter);
    if (!found) return tl::unexpected(found.error());
    if (found->empty())
        return failure(ExitCode::not_found,
                       "there is no " + kind.title + " " + text + "; see " + how_to_list(kind));
    if (found->size() > 1)
        return failure(ExitCode::usage, "there are " + std::to_string(found->size()) + " of " + kind.title +
                                            " " + text + "; name one by its id:" + candidates(kind, *found));
    return plain_text(found->front(), "id");
}

OrFailure<std::string> find_machine(Session& session, const std::string& text) {
    return find_id(session, kind("machine"), text);
}

OrFailure<std::string> find_cluster(Session& session, const std::string& text) {
    return find_id(session, kind("cluster"), text);
}

OrFailure<std::map<std::string, std::string>> names_by_id(Session& session, const Kind& kind) {
    const auto objects = session.get_list(kind.path);
    if (!objects) return tl::unexpected(objects.error());
    std::map<std::string, std::string> names;
    for (const auto& object : *objects) names[plain_text(object, "id")] = kind.name_of(object);
    return names;
}

OrFailure<void> resolve_references(Session& session, const Kind& of, json& body) {
    for (const auto& member : of.members) {
        const Kind* referred = member.refers.empty() ? nullptr : find_kind(member.refers);
        const auto value = body.find(member.field);
        if (referred == nullptr || !referred->sent_by_id || value == body.end() || !value->is_string())
            continue;
        const auto id = find_id(session, *referred, value->get<std::string>());
        if (!id) return tl::unexpected(id.error());
        *value = *id;
    }
    return {};
}

}  // namespace rouse::cli
