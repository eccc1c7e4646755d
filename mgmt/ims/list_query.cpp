#include "mgmt/ims/list_query.hpp"

#include "mgmt/http/field_check.hpp"
#include "mgmt/http/json_body.hpp"
#include "mgmt/http/moment.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "shared/addresses.hpp"

#include <algorithm>
#include <limits>

namespace rouse::ims {

using http::Field;
using http::FieldType;
using http::OrProblem;
using nlohmann::json;
using store::Document;
using store::Id;

namespace {

const json& member(const json& fields, const std::string& name) {
    static const json kMissing;
    const auto found = fields.find(name);
    return found == fields.end() ? kMissing : *found;
}

// By what a field sorts: addresses by number, since 10.0.0.9 comes before 10.0.0.10.
json order_key(const Field& field, const json& fields) {
    const json& value = member(fields, field.name());
    if (!value.is_string()) return value;
    const auto& text = value.get_ref<const std::string&>();
    if (field.type() == FieldType::ipv4)
        if (const auto address = Ipv4Address::parse(text)) return address->host();
    if (field.type() == FieldType::prefix)
        if (const auto prefix = Ipv4Prefix::parse(text))
            return std::uint64_t{prefix->address.host()} << 8 | prefix->length;
    return value;
}

// The documents of COLLECTION with VALUE in INDEX, if there is one; else all. None up to NOT_BEFORE.
ListQuery::Source documents(const store::View& view, const store::Collection& collection,
                            const store::Index* index, std::string value, const std::optional<Id>& not_before,
                            const ListQuery::Decorate& decorate) {
    return [&view, &collection, index, value = std::move(value), &not_before, &decorate](
               const json& after, const ListQuery::Take& take) -> Outcome<void> {
        // Nothing is less than any id.
        const auto from = std::max(
            after.is_string() ? Id::parse(after.get_ref<const std::string&>()) : std::nullopt, not_before);
        std::optional<Failure> failure;
        const auto visit = [&](Document document) {
            json object = visible(std::move(document.fields));
            if (decorate)
                if (auto decorated = decorate(view, object); !decorated) {
                    failure = decorated.error();
                    return false;
                }
            return take(std::move(object));
        };
        const auto visit_id = [&](Id id) {
            auto document = store::find(view, collection, id);
            if (!document) failure = document.error();
            return document && (!*document || visit(std::move(**document)));
        };
        const auto visited = index == nullptr ? store::for_each(view, collection, from, visit)
                                              : store::for_each_id(view, *index, value, visit_id, from);
        if (!visited) return pass_on(visited.error());
        if (failure) return tl::unexpected(std::move(*failure));
        return {};
    };
}

}  // namespace

OrProblem<ListQuery> ListQuery::parse(const http::Schema& schema, const http::Request& request,
                                      std::initializer_list<std::string_view> others, PageLimits limits,
                                      std::string_view order) {
    ListQuery query(schema);
    const auto limit = request.query.integer("limit", limits.usual, 1, limits.most);
    if (!limit) return tl::unexpected(limit.error());
    query.limit_ = *limit;
    if (request.query.find("sort").value_or("").empty())
        if (auto added = query.add_order(order); !added) return tl::unexpected(added.error());
    const std::string* after = nullptr;
    for (const auto& [name, value] : request.query.pairs()) {
        if (name == "limit" || std::find(others.begin(), others.end(), name) != others.end()) continue;
        if (name == "after") {
            after = &value;
            continue;
        }
        if (auto added = query.add(name, value); !added) return tl::unexpected(added.error());
    }
    if (after != nullptr)
        if (auto begun = query.begin_after(*after); !begun) return tl::unexpected(begun.error());
    return query;
}

std::vector<http::QueryParameter> ListQuery::parameters(const http::Schema& schema) {
    std::vector<http::QueryParameter> out = {
        {"limit", "at most so many objects; a Link header then leads to the next page", "integer"},
        {"after", "where the page before ended, as its Link header says"},
        {"sort", "fields to sort by, separated by commas; -field: the other way round"}};
    if (schema.find("created_at") != nullptr) {
        out.push_back({"since", "only objects made at that moment or later"});
        out.push_back({"until", "only objects made before that moment"});
    }
    for (const auto& field : schema.fields())
        if (!field.is_write_only() && field.has_one_value())
            out.push_back({field.name(), "only objects whose " + field.name() + " is this"});
    return out;
}

void ListQuery::also(std::string_view field, json value) {
    conditions_.push_back({schema_->find(field), std::move(value)});
}

OrProblem<void> ListQuery::add(const std::string& name, const std::string& value) {
    if (name == "sort") return add_order(value);
    if ((name == "since" || name == "until") && schema_->find("created_at") != nullptr)
        return add_moment(name, value);
    const Field* field = schema_->find(name);
    if (field == nullptr || field->is_write_only()) return bad_query(name, "is not known here");
    auto wanted = http::value_from_text(*field, value);
    if (!wanted) return bad_query(name, wanted.error().detail);
    conditions_.push_back({field, std::move(*wanted)});
    return {};
}

// since: made at that moment or later; until: before it.
OrProblem<void> ListQuery::add_moment(const std::string& name, const std::string& value) {
    const auto millis = http::parse_moment(value);
    if (!millis)
        return bad_query(name,
                         "must be a moment such as 2026-11-20T12:34:56Z or 2026-11-20T13:34:56.789+01:00");
    // What is beyond a clock of nanoseconds (the year 2554), such as 2600-01-01, is after everything.
    constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max() / kNanosPerMilli;
    (name == "since" ? since_ : until_) = store::to_timestamp(std::min(*millis, kLast) * kNanosPerMilli);
    // Ids follow the clock; an hour is for a clock that was set back.
    constexpr std::uint64_t kSlack = 3'600'000;
    if (name == "since") not_before_ = Id::before(*millis > kSlack ? *millis - kSlack : 0);
    return {};
}

OrProblem<void> ListQuery::add_order(std::string_view names) {
    while (!names.empty()) {
        const auto comma = std::min(names.find(','), names.size());
        std::string_view name = names.substr(0, comma);
        names.remove_prefix(std::min(comma + 1, names.size()));
        const bool descending = name.starts_with('-');
        if (descending) name.remove_prefix(1);
        const Field* field = schema_->find(name);
        if (field == nullptr || field->is_write_only())
            return bad_query("sort",
                             "names '" + std::string(name) + "', which is not a field of " + schema_->name());
        orders_.push_back({field, descending});
    }
    return {};
}

OrProblem<void> ListQuery::begin_after(const std::string& cursor) {
    if (orders_.empty()) {
        auto value = http::value_from_text(schema_->fields().front(), cursor);
        if (!value) return bad_query("after", "must be the id of the last object seen");
        after_ = std::move(*value);
        return {};
    }
    auto keys = http::parse_json(cursor);
    if (!keys || !keys->is_array() || keys->size() != orders_.size() + 1)
        return bad_query("after", "must be as the Link header of the page before has it");
    after_ = std::move(*keys);
    return {};
}

bool ListQuery::matches(const json& object) const {
    if (!since_.empty() || !until_.empty()) {
        const json& made = member(object, "created_at");
        const std::string at = made.is_string() ? made.get<std::string>() : "";
        if (at < since_ || (!until_.empty() && at >= until_)) return false;
    }
    return std::all_of(conditions_.begin(), conditions_.end(), [&object](const Condition& condition) {
        const json& value = member(object, condition.field->name());
        if (value.is_array()) return std::find(value.begin(), value.end(), condition.value) != value.end();
        return value == condition.value;
    });
}

ListQuery::Keys ListQuery::keys_of(const json& object) const {
    Keys keys;
    keys.reserve(orders_.size() + 1);
    for (const auto& order : orders_) keys.push_back(order_key(*order.field, object));
    keys.push_back(order_key(schema_->fields().front(), object));
    return keys;
}

bool ListQuery::precedes(const Keys& a, const Keys& b) const {
    for (std::size_t i = 0; i < orders_.size(); ++i)
        if (a[i] != b[i]) return orders_[i].descending ? b[i] < a[i] : a[i] < b[i];
    // Of the same moment, the newest come first where the newest moments do.
    return orders_.back().descending ? b.back() < a.back() : a.back() < b.back();
}

Outcome<ListQuery::Page> ListQuery::run(const Source& source) const {
    return orders_.empty() ? as_they_come(source) : in_order(source);
}

Outcome<ListQuery::Page> ListQuery::run(const store::View& view, const store::Collection& collection,
                                        const std::vector<IndexedField>& indexed,
                                        const Decorate& decorate) const {
    for (const auto& condition : conditions_)
        for (const auto& candidate : indexed)
            if (candidate.field == condition.field->name() && condition.value.is_string())
                return run(
                    documents(view, collection, candidate.index, condition.value, not_before_, decorate));
    return run(documents(view, collection, nullptr, {}, not_before_, decorate));
}

Outcome<ListQuery::Page> ListQuery::as_they_come(const Source& source) const {
    Page page;
    bool has_more = false;
    const auto visited = source(after_, [&](json object) {
        if (!matches(object)) return true;
        has_more = page.objects.size() == limit_;
        if (!has_more) page.objects.push_back(std::move(object));
        return !has_more;
    });
    if (!visited) return tl::unexpected(visited.error());
    if (has_more) page.next = page.objects.back().at(schema_->fields().front().name()).get<std::string>();
    return page;
}

// However many objects there are, no more than a page of them is kept.
Outcome<ListQuery::Page> ListQuery::in_order(const Source& source) const {
    struct Entry {
        Keys keys;
        json object;
    };
    std::vector<Entry> first;  // a heap whose front is the last of them
    const auto before = [this](const Entry& a, const Entry& b) { return precedes(a.keys, b.keys); };
    const Keys after = after_.is_array() ? after_.get<Keys>() : Keys{};
    bool has_more = false;
    const auto visited = source(nullptr, [&](json object) {
        if (!matches(object)) return true;
        Entry entry{keys_of(object), std::move(object)};
        if (!after.empty() && !precedes(after, entry.keys)) return true;
        first.push_back(std::move(entry));
        std::push_heap(first.begin(), first.end(), before);
        if (first.size() > limit_) {
            has_more = true;
            std::pop_heap(first.begin(), first.end(), before);
            first.pop_back();
        }
        return true;
    });
    if (!visited) return tl::unexpected(visited.error());
    std::sort_heap(first.begin(), first.end(), before);
    Page page;
    if (has_more) page.next = json(first.back().keys).dump();
    for (auto& entry : first) page.objects.push_back(std::move(entry.object));
    return page;
}

void ListQuery::add_next(http::Response& response, const http::Request& request, const std::string& cursor) {
    std::string target = request.path + "?";
    for (const auto& [name, value] : request.query.pairs())
        if (name != "after")
            target += http::percent_encode(name) + "=" + http::percent_encode(value, ",:") + "&";
    response.headers.add("Link",
                         "<" + target + "after=" + http::percent_encode(cursor, ":") + ">; rel=\"next\"");
}

http::Response ListQuery::answer(const http::Request& request, const Page& page) {
    http::Response response = http::Response::json(page.objects);
    if (!page.next.empty()) add_next(response, request, page.next);
    return response;
}

}  // namespace rouse::ims
