#include "mgmt/o2ims/query/selection.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace rouse::o2ims {

using http::OrProblem;
using nlohmann::json;

namespace {

// "a,b/c" or "(a,b/c)", as some clients write it.
OrProblem<std::vector<Path>> parse_paths(std::string_view text, const http::Schema& schema) {
    if (text.size() >= 2 && text.front() == '(' && text.back() == ')') text = text.substr(1, text.size() - 2);
    std::vector<Path> out;
    while (!text.empty()) {
        const auto one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        auto path = parse_path(one, schema);
        if (!path) return tl::unexpected(std::move(path.error()));
        if (path->of_key)
            return http::problem(http::Status::bad_request, "\"@key\" has its place in filters alone");
        out.push_back(std::move(*path));
    }
    return out;
}

// A flag may come without a value.
OrProblem<bool> parse_flag(const http::Query& query, std::string_view name) {
    const auto value = query.find(name);
    if (!value || *value == "false") return false;
    if (value->empty() || *value == "true") return true;
    return http::problem(http::Status::bad_request, "the query parameter " + std::string(name) +
                                                        " must be true or false, or without a value");
}

// Copies what is at PATH from FROM to TO, through lists element by element. False: there is nothing at it,
// and TO is as it was, but for elements of lists: they keep their places.
bool copy(const json& from, json& to, const Path& path, std::size_t depth) {
    if (depth == path.names.size()) {
        to = from;
        return true;
    }
    if (from.is_array()) {
        if (!to.is_array()) to = json::array();
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (to.size() <= i) to.push_back(json::object());
            copy(from[i], to[i], path, depth);
        }
        return true;
    }
    const std::string& name = path.names[depth];
    if (!from.is_object() || !from.contains(name)) return false;
    json part = to.is_object() && to.contains(name) ? std::move(to[name]) : json();
    const bool is_new = part.is_null();
    if (!copy(from[name], part, path, depth + 1) && is_new) return false;
    if (!to.is_object()) to = json::object();
    to[name] = std::move(part);
    return true;
}

void drop(json& from, const Path& path, std::size_t depth) {
    if (from.is_array()) {
        for (json& one : from) drop(one, path, depth);
        return;
    }
    if (!from.is_object()) return;
    const auto found = from.find(path.names[depth]);
    if (found == from.end()) return;
    if (depth + 1 == path.names.size())
        from.erase(found);
    else
        drop(*found, path, depth + 1);
}

// What identifies an object stands first; of a subscription it is not required, since the server assigns it.
bool is_always_shown(const http::Schema& schema, const http::Field& field) {
    return field.is_required() || &field == &schema.fields().front();
}

bool is_always_shown(const http::Schema& schema, const Path& path) {
    const http::Field* field = path.names.size() == 1 ? schema.find(path.names.front()) : nullptr;
    return field != nullptr && is_always_shown(schema, *field);
}

}  // namespace

OrProblem<Selection> Selection::parse(const http::Query& query, const http::Schema& schema,
                                      std::initializer_list<std::string_view> defaults) {
    Selection out(schema);
    const auto all = parse_flag(query, "all_fields");
    if (!all) return tl::unexpected(all.error());
    const auto without_defaults = parse_flag(query, "exclude_default");
    if (!without_defaults) return tl::unexpected(without_defaults.error());
    if (*all && (*without_defaults || query.has("fields") || query.has("exclude_fields")))
        return http::problem(http::Status::bad_request,
                             "all_fields goes with none of fields, exclude_fields and exclude_default");
    if (const auto fields = query.find("fields")) {
        auto shown = parse_paths(*fields, schema);
        if (!shown) return tl::unexpected(std::move(shown.error()));
        out.shown_ = std::move(*shown);
    }
    if (const auto fields = query.find("exclude_fields")) {
        auto hidden = parse_paths(*fields, schema);
        if (!hidden) return tl::unexpected(std::move(hidden.error()));
        out.hidden_ = std::move(*hidden);
        std::erase_if(out.hidden_, [&](const Path& path) { return is_always_shown(schema, path); });
    }
    if (!*all && (*without_defaults || out.shown_.empty()))
        for (const auto name : defaults) out.hidden_.push_back({{std::string(name)}});
    return out;
}

json Selection::apply(json object) const {
    for (const Path& path : hidden_) drop(object, path, 0);
    if (!shown_.empty()) {
        json some = json::object();
        for (const auto& field : schema_->fields())
            if (const auto found = object.find(field.name());
                found != object.end() && is_always_shown(*schema_, field))
                some[field.name()] = *found;
        for (const Path& path : shown_) copy(object, some, path, 0);
        object = std::move(some);
    }
    return object;
}

}  // namespace rouse::o2ims
