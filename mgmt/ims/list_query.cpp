#include "mgmt/ims/list_query.hpp"

#include "mgmt/http/field_check.hpp"
#include "mgmt/ims/problems.hpp"
#include "shared/addresses.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

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
    if (field.type() == FieldType::ipv4 && value.is_string())
        if (const auto address = Ipv4Address::parse(value.get_ref<const std::string&>()))
            return address->host();
    return value;
}

// Whether TEXT begins with what FORM shows, where 0 is any digit.
bool begins_like(std::string_view text, std::string_view form) {
    return text.size() >= form.size() &&
           std::equal(form.begin(), form.end(), text.begin(),
                      [](char f, char t) { return f == '0' ? t >= '0' && t <= '9' : t == f; });
}

// RFC 3339 in milliseconds since 1970; nothing for what is not, or is before 1970.
std::optional<std::uint64_t> parse_moment(const std::string& text) {
    std::tm utc{};
    if (!begins_like(text, "0000-00-00T00:00:00") ||
        ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr)
        return std::nullopt;
    std::tm minute = utc;
    minute.tm_sec = 0;
    ::timegm(&minute);
    if (minute.tm_mday != utc.tm_mday) return std::nullopt;  // 30 February
    std::int64_t millis = std::int64_t{::timegm(&utc)} * 1000;
    std::string_view rest = std::string_view(text).substr(19);
    if (begins_like(rest, ".0")) {
        rest.remove_prefix(1);
        for (int scale = 100; begins_like(rest, "0"); scale /= 10, rest.remove_prefix(1))
            millis += (rest[0] - '0') * scale;
    }
    if (rest.size() == 6 && std::string_view("+- ").find(rest[0]) != std::string_view::npos &&
        begins_like(rest.substr(1), "00:00")) {
        const int offset = std::atoi(rest.data() + 1) * 60 + std::atoi(rest.data() + 4);
        millis +=
            (rest[0] == '-' ? 1 : -1) * std::int64_t{offset} * 60'000;  // a bare + in a query is a space
    } else if (rest != "Z") {
        return std::nullopt;
    }
    if (millis < 0) return std::nullopt;
    return static_cast<std::uint64_t>(millis);
}

}  // namespace

OrProblem<ListQuery> ListQuery::parse(const http::Schema& schema, const http::Request& request,
                                      PageLimits limits) {
    ListQuery query;
    const auto limit = request.query.integer("limit", limits.usual, 1, limits.most);
    if (!limit) return tl::unexpected(limit.error());
    query.limit_ = *limit;
    for (const auto& [name, value] : request.query.pairs()) {
        if (name == "limit") continue;
        if (auto added = query.add(schema, name, value); !added) return tl::unexpected(added.error());
    }
    return query;
}

OrProblem<void> ListQuery::add(const http::Schema& schema, const std::string& name,
                               const std::string& value) {
    if (name == "after") {
        after_ = Id::parse(value);
        if (!after_) return bad_query(name, "must be the id of the last object seen");
        return {};
    }
    if (name == "sort") return add_order(schema, value);
    if ((name == "since" || name == "until") && schema.find("created_at") != nullptr)
        return add_moment(name, value);
    const Field* field = schema.find(name);
    if (field == nullptr || field->is_write_only()) return bad_query(name, "is not known here");
    auto wanted = http::value_from_text(*field, value);
    if (!wanted) return bad_query(name, wanted.error().detail);
    conditions_.push_back({field, std::move(*wanted)});
    return {};
}

// since: made at that moment or later; until: before it.
OrProblem<void> ListQuery::add_moment(const std::string& name, const std::string& value) {
    const auto millis = parse_moment(value);
    if (!millis)
        return bad_query(name,
                         "must be a moment such as 2026-11-20T12:34:56Z or 2026-11-20T13:34:56.789+01:00");
    (name == "since" ? since_ : until_) = store::to_timestamp(*millis * kNanosPerMilli);
    // Ids follow the clock; an hour is for a clock that was set back.
    constexpr std::uint64_t kSlack = 3'600'000;
    if (name == "since") not_before_ = Id::before(*millis > kSlack ? *millis - kSlack : 0);
    return {};
}

OrProblem<void> ListQuery::add_order(const http::Schema& schema, std::string_view names) {
    while (!names.empty()) {
        const auto comma = std::min(names.find(','), names.size());
        std::string_view name = names.substr(0, comma);
        names.remove_prefix(std::min(comma + 1, names.size()));
        const bool descending = name.starts_with('-');
        if (descending) name.remove_prefix(1);
        const Field* field = schema.find(name);
        if (field == nullptr || field->is_write_only())
            return bad_query("sort",
                             "names '" + std::string(name) + "', which is not a field of " + schema.name());
        orders_.push_back({field, descending});
    }
    return {};
}

bool ListQuery::matches(const Document& document) const {
    if (!since_.empty() && document.text("created_at") < since_) return false;
    if (!until_.empty() && document.text("created_at") >= until_) return false;
    return std::all_of(conditions_.begin(), conditions_.end(), [&document](const Condition& condition) {
        const json& value = member(document.fields, condition.field->name());
        if (value.is_array()) return std::find(value.begin(), value.end(), condition.value) != value.end();
        return value == condition.value;
    });
}

bool ListQuery::precedes(const Document& a, const Document& b) const {
    for (const auto& order : orders_) {
        const json of_a = order_key(*order.field, a.fields);
        const json of_b = order_key(*order.field, b.fields);
        if (of_a != of_b) return order.descending ? of_b < of_a : of_a < of_b;
    }
    return a.id < b.id;
}

Outcome<void> ListQuery::visit(const store::View& view, const store::Collection& collection,
                               const std::vector<IndexedField>& indexed, const store::Visit& visitor) const {
    const auto take = [&](Document document) { return !matches(document) || visitor(std::move(document)); };
    // Nothing is less than any id.
    const std::optional<Id> from = std::max(orders_.empty() ? after_ : std::nullopt, not_before_);
    for (const auto& condition : conditions_) {
        const auto by =
            std::find_if(indexed.begin(), indexed.end(), [&condition](const IndexedField& candidate) {
                return candidate.field == condition.field->name();
            });
        if (by == indexed.end()) continue;
        std::optional<Failure> failure;
        const auto scanned =
            store::for_each_id(view, *by->index, condition.value.get_ref<const std::string&>(), [&](Id id) {
                if (from && id <= *from) return true;
                auto document = store::find(view, collection, id);
                if (!document) failure = document.error();
                return document && (!*document || take(std::move(**document)));
            });
        if (!scanned) return pass_on(scanned.error());
        if (failure) return tl::unexpected(std::move(*failure));
        return {};
    }
    if (auto scanned = store::for_each(view, collection, from, take); !scanned)
        return pass_on(scanned.error());
    return {};
}

Outcome<ListQuery::Page> ListQuery::run(const store::View& view, const store::Collection& collection,
                                        const std::vector<IndexedField>& indexed) const {
    if (!orders_.empty()) return in_order(view, collection, indexed);
    Page page;
    const auto visited = visit(view, collection, indexed, [&](Document document) {
        page.has_more = page.documents.size() == limit_;
        if (!page.has_more) page.documents.push_back(std::move(document));
        return !page.has_more;
    });
    if (!visited) return tl::unexpected(visited.error());
    return page;
}

Outcome<ListQuery::Page> ListQuery::in_order(const store::View& view, const store::Collection& collection,
                                             const std::vector<IndexedField>& indexed) const {
    std::optional<Document> last;
    if (after_) {
        auto found = store::find(view, collection, *after_);
        if (!found) return pass_on(found.error());
        if (!*found)
            return refuse(
                Failure::Kind::invalid,
                "the query parameter after names an object that is gone; begin with the first page again");
        last = std::move(*found);
    }
    Page page;
    const auto before = [this](const Document& a, const Document& b) { return precedes(a, b); };
    // No more than a few pages are held, however many there are: the page and one that comes after it stay.
    constexpr std::size_t kSpare = 1000;
    const auto visited = visit(view, collection, indexed, [&](Document document) {
        if (last && !precedes(*last, document)) return true;
        page.documents.push_back(std::move(document));
        if (page.documents.size() < 2 * limit_ + kSpare) return true;
        const auto end = page.documents.begin() + static_cast<std::ptrdiff_t>(limit_);
        std::nth_element(page.documents.begin(), end, page.documents.end(), before);
        page.documents.erase(end + 1, page.documents.end());
        return true;
    });
    if (!visited) return tl::unexpected(visited.error());
    page.has_more = page.documents.size() > limit_;
    const auto kept = static_cast<std::ptrdiff_t>(std::min(limit_, page.documents.size()));
    std::partial_sort(page.documents.begin(), page.documents.begin() + kept, page.documents.end(), before);
    page.documents.erase(page.documents.begin() + kept, page.documents.end());
    return page;
}

std::string ListQuery::next(const http::Request& request, const Page& page) {
    std::string target = request.path + "?";
    for (const auto& [name, value] : request.query.pairs())
        if (name != "after")
            target += http::percent_encode(name) + "=" + http::percent_encode(value, ",:") + "&";
    return target + "after=" + page.documents.back().id.to_string();
}

}  // namespace rouse::ims
