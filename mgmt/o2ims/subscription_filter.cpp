#include "mgmt/o2ims/subscription_filter.hpp"

#include "mgmt/o2ims/inventory_schemas.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

constexpr std::string_view kObjectType = "(eq,objectType,";

struct Alternative {
    std::string kind;
    Filter filter;
};

const http::Schema* schema_of(std::string_view type) {
    if (type == "ResourceInfo") return &resource_schema();
    if (type == "ResourcePoolInfo") return &resource_pool_schema();
    if (type == "ResourceTypeInfo") return &resource_type_schema();
    if (type == "CloudInfo") return &cloud_info_schema();
    return nullptr;
}

// At every MARK of TEXT that is not in quotes.
std::vector<std::string> split(std::string_view text, char mark) {
    std::vector<std::string> out(1);
    bool is_quoted = false;
    for (const char c : text) {
        if (c == '\'') is_quoted = !is_quoted;
        if (c == mark && !is_quoted)
            out.emplace_back();
        else
            out.back().push_back(c);
    }
    return out;
}

http::OrProblem<Alternative> parse_alternative(const std::string& text) {
    Alternative out{.kind = "ResourceInfo", .filter = {}};
    std::string rest;
    for (std::string& term : split(text, ';')) {
        if (term.starts_with(kObjectType) && term.ends_with(')')) {
            out.kind = term.substr(kObjectType.size(), term.size() - kObjectType.size() - 1);
            continue;
        }
        rest += (rest.empty() ? "" : ";") + term;
    }
    const auto* schema = schema_of(out.kind);
    if (schema == nullptr)
        return http::invalid_field("/filter", "names the objectType " + out.kind +
                                                  ", of which there are no notifications (ResourceInfo, "
                                                  "ResourcePoolInfo, ResourceTypeInfo)");
    if (rest.empty()) return out;
    auto filter = Filter::parse(rest, *schema);
    if (!filter) return http::invalid_field("/filter", "is not a filter: " + filter.error().detail);
    out.filter = std::move(*filter);
    return out;
}

}  // namespace

std::string filter_of(const json& fields) {
    std::string text = store::text_of_field(fields, "eventFilter");
    return text.empty() ? store::text_of_field(fields, "filter") : text;
}

Excludes excludes_matching(Filter filter) {
    return [filter = std::move(filter)](const Notification& notification) {
        const json body = json::parse(notification.body, nullptr, false);
        return body.is_object() && filter.matches(body);
    };
}

http::OrProblem<Excludes> parse_inventory_filter(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    std::vector<Alternative> alternatives;
    for (const auto& one : split(text, '|')) {
        auto parsed = parse_alternative(one);
        if (!parsed) return tl::unexpected(std::move(parsed.error()));
        alternatives.push_back(std::move(*parsed));
    }
    return [alternatives = std::move(alternatives)](const Notification& notification) {
        const auto is_of_kind = [&](const Alternative& one) { return one.kind == notification.kind; };
        if (std::none_of(alternatives.begin(), alternatives.end(), is_of_kind)) return false;
        const json body = json::parse(notification.body, nullptr, false);
        for (const char* state : {"postObjectState", "priorObjectState"}) {
            if (!body.is_object() || !body.contains(state)) continue;
            return std::any_of(alternatives.begin(), alternatives.end(), [&](const Alternative& one) {
                return is_of_kind(one) && one.filter.matches(body[state]);
            });
        }
        return false;
    };
}

}  // namespace rouse::o2ims
