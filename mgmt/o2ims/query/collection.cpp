#include "mgmt/o2ims/query/collection.hpp"

#include "mgmt/http/json_text.hpp"
#include "mgmt/o2ims/query/object_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace rouse::o2ims {

using http::OrProblem;
using http::Request;
using http::Status;
using nlohmann::json;

namespace {

constexpr std::string_view kMarker = "nextpage_opaque_marker";
constexpr std::string_view kSelectors[] = {"fields", "exclude_fields", "all_fields", "exclude_default"};
constexpr std::string_view kOfLists[] = {"filter", "limit", kMarker};

OrProblem<void> check_names(const http::Query& query, bool is_list) {
    for (const auto& [name, value] : query.pairs()) {
        const auto is = [&name = name](std::string_view one) { return one == name; };
        if (std::any_of(std::begin(kSelectors), std::end(kSelectors), is)) continue;
        if (is_list && std::any_of(std::begin(kOfLists), std::end(kOfLists), is)) continue;
        return http::problem(Status::bad_request, "the query parameter " + name + " is not known here");
    }
    return {};
}

}  // namespace

bool Listed::matches(const Filter& filter) const {
    return tree_ != nullptr ? filter.matches(*tree_) : filter.matches_text(text_);
}

std::string Listed::id(const http::Schema& schema) const {
    return tree_ != nullptr ? tree_->at(schema.fields().front().name()).get<std::string>() : std::string(id_);
}

std::string Listed::select(const Selection& selection) const {
    if (tree_ != nullptr) return http::to_text(selection.apply(*tree_));
    return selection.is_everything() ? std::string(text_) : http::to_text(selection.apply(parse_text(text_)));
}

OrProblem<Listing> Listing::parse(const Request& request, const http::Schema& schema,
                                  std::initializer_list<std::string_view> defaults) {
    if (auto known = check_names(request.query, true); !known)
        return tl::unexpected(std::move(known.error()));
    auto selection = Selection::parse(request.query, schema, defaults);
    if (!selection) return tl::unexpected(std::move(selection.error()));
    Listing out(request, schema, std::move(*selection));
    if (const auto text = request.query.find("filter"); text && !text->empty()) {
        auto filter = Filter::parse(*text, schema);
        if (!filter) return tl::unexpected(std::move(filter.error()));
        out.filter_ = std::move(*filter);
    }
    const auto limit = request.query.integer("limit", kPage, 1, kLargestPage);
    if (!limit) return tl::unexpected(limit.error());
    out.limit_ = *limit;
    if (const auto marker = request.query.find(kMarker))
        if (auto parsed = out.parse_marker(*marker); !parsed)
            return tl::unexpected(std::move(parsed.error()));
    return out;
}

// "3", as some clients count by themselves, or "3.<id of the last object of page 2>", as our links have it:
// that stays right while objects come and go.
OrProblem<void> Listing::parse_marker(std::string_view marker) {
    const auto [end, error] = std::from_chars(marker.data(), marker.data() + marker.size(), page_);
    const std::string_view rest = marker.substr(static_cast<std::size_t>(end - marker.data()));
    if (error != std::errc{} || page_ == 0 || page_ > 1'000'000 || (!rest.empty() && rest.front() != '.'))
        return http::problem(Status::bad_request,
                             "nextpage_opaque_marker must be as the Link header of the page before has it");
    if (!rest.empty()) after_ = rest.substr(1);
    return {};
}

std::optional<std::string> Listing::only_id() const {
    const std::string* id = filter_.equals(schema_->fields().front().name());
    if (id == nullptr) return std::nullopt;
    std::string out = *id;
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

http::Outcome Listing::answer(const Source& source) const {
    std::size_t skip = after_.empty() ? (page_ - 1) * limit_ : 0;
    const bool counts = skip > 0;
    std::string page;
    std::size_t objects = 0;
    bool has_more = false;
    std::string last;
    source(after_, [&](const Listed& object) {
        if (!object.matches(filter_)) return true;
        if (skip > 0) {
            --skip;
            return true;
        }
        if (objects == limit_) {
            has_more = true;
            return false;
        }
        last = object.id(*schema_);
        page += (objects++ == 0 ? "[" : ",") + object.select(selection_);
        return true;
    });
    if (counts && objects == 0)
        return http::problem(Status::bad_request, "there is no page " + std::to_string(page_));
    auto response = http::Response::json_text(objects == 0 ? "[]" : page + "]");
    if (has_more) response.headers.add("Link", next_link(last));
    return response;
}

// The request's own spelling; a filter's ";" encoded, since some clients cut a link at one.
std::string Listing::next_link(const std::string& last_id) const {
    std::string target = request_->path + "?";
    for (const auto& [name, value] : request_->query.pairs())
        if (name != kMarker)
            target += http::percent_encode(name) + "=" + http::percent_encode(value, ",:()/") + "&";
    return "<" + target + std::string(kMarker) + "=" + std::to_string(page_ + 1) + "." +
           http::percent_encode(last_id, ":") + ">; rel=\"next\"";
}

http::Outcome answer_one(const Request& request, const http::Schema& schema, json object,
                         std::initializer_list<std::string_view> defaults) {
    if (auto known = check_names(request.query, false); !known)
        return tl::unexpected(std::move(known.error()));
    const auto selection = Selection::parse(request.query, schema, defaults);
    if (!selection) return tl::unexpected(selection.error());
    return http::Response::json(selection->apply(std::move(object)));
}

std::vector<http::QueryParameter> selector_parameters() {
    return {{"fields", "attributes to show besides the required ones, separated by commas; a/b is b of a"},
            {"exclude_fields", "attributes to leave out"},
            {"all_fields", "show all of them", "boolean"},
            {"exclude_default", "leave out what is left out unless it is asked for", "boolean"}};
}

std::vector<http::QueryParameter> listing_parameters() {
    auto out = selector_parameters();
    out.insert(out.begin(),
               {{"filter", "terms that must all hold: (eq,name,x);(in,resourceKind,PHYSICAL,LOGICAL)"},
                {"limit", "at most so many objects; a Link header then leads to the next page", "integer"},
                {std::string(kMarker), "the page, as the Link header of the one before has it"}});
    return out;
}

}  // namespace rouse::o2ims
