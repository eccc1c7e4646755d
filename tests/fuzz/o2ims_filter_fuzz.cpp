// Any text as the query of an O2ims collection: filter, attribute selectors and pages; and as the filter of a
// subscription. What is accepted means what it says, on objects that are as they should be and on odd ones;
// what is refused says why.
//
// The first byte chooses a kind of objects (0x80 in it: the text is a subscription's filter), the rest is the
// query, as it stands in a URL.

#include "mgmt/http/json_text.hpp"
#include "mgmt/o2ims/inventory/inventory_schemas.hpp"
#include "mgmt/o2ims/notifications/subscription_filter.hpp"
#include "mgmt/o2ims/query/collection.hpp"
#include "tests/fuzz/example.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string>

#include <nlohmann/json.hpp>

namespace {

using namespace rouse;         // NOLINT(google-build-using-namespace): the whole file is about it
using namespace rouse::o2ims;  // NOLINT(google-build-using-namespace): likewise
using http::Schema;
using nlohmann::json;

// Says which requirement it was.
void require(bool truth, std::source_location where = std::source_location::current()) {
    if (truth) return;
    std::fprintf(stderr, "line %u is not so\n", static_cast<unsigned>(where.line()));
    std::abort();
}

// Of every type that a filter knows.
const Schema& everything_schema() {
    static const Schema part("FuzzedPart", "A part",
                             {http::string("kind", "what it is"), http::integer("size", "GiB"),
                              http::map("labels", "by name", {}, http::integer("label", "a number"))});
    static const Schema schema(
        "Fuzzed", "Every type",
        {http::uuid("id", "its id").required(), http::string("name", "its name").required(),
         http::integer("count", "how many").range(-3, 1000), http::number("share", "a part"),
         http::boolean("isOn", "whether it runs"), http::timestamp("seen", "when"),
         http::choice("word", "one of", {"one", "two"}), http::array(http::string("tags", "words")),
         http::array(http::object("parts", "what it is made of", part)),
         http::object("main", "its best", part),
         http::map("labels", "by name", {}, http::string("label", "a word")),
         http::map("lists", "by name", {}, http::array(http::uuid("ids", "several"))),
         http::array(http::any("notes", "anything")), http::any("extensions", "whatever else is known")});
    return schema;
}

struct Kind {
    const Schema* schema;
    std::vector<json> objects;  // in the order of their ids
};

Kind make_kind(const Schema& schema) {
    Kind out{&schema, {}};
    std::uint32_t random = 1;
    for (unsigned i = 0; i < 12; ++i) {
        std::string bytes(i == 0 ? 0 : 200, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>((random = random * 1'664'525 + 1'013'904'223) >> 24);
        fuzz::Choices choices(bytes);
        json object = fuzz::example_of(schema, choices);
        char id[40];
        std::snprintf(id, sizeof id, "0192f0c0-0000-7000-8000-0000000000%02x", i);
        object[schema.fields().front().name()] = id;
        out.objects.push_back(std::move(object));
    }
    return out;
}

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = [] {
        std::vector<Kind> out;
        for (const Schema* schema :
             {&everything_schema(), &resource_schema(), &resource_pool_schema(), &resource_type_schema(),
              &location_schema(), &site_schema(), &deployment_manager_schema(), &cloud_info_schema()})
            out.push_back(make_kind(*schema));
        return out;
    }();
    return all;
}

void check_refusal(const http::Problem& problem, std::size_t length) {
    require(problem.status == http::Status::bad_request && http::is_utf8(problem.detail));
    require(!problem.detail.empty());
    // At the end alone: what comes before may be the client's own words.
    constexpr std::string_view kWhere = "after its first ";
    const auto at = problem.detail.rfind(kWhere);
    if (at != std::string::npos && problem.detail.ends_with(" bytes"))
        require(std::strtoull(problem.detail.c_str() + at + kWhere.size(), nullptr, 10) <= length);
}

std::string spell(const Path& path) {
    std::string out;
    for (const auto& name : path.names) {
        if (&name != &path.names.front()) out += '/';
        for (const char c : name) {
            if (c == '~')
                out += "~0";
            else if (c == '/')
                out += "~1";
            else if (c == '@')
                out += "~b";
            else
                out += c;
        }
    }
    return path.of_key ? out + "/@key" : out;
}

std::string spell(const Term& term) {
    constexpr const char* kNames[] = {"eq", "neq", "gt", "lt", "gte", "lte", "in", "nin", "cont", "ncont"};
    std::string out = std::string("(") + kNames[static_cast<std::size_t>(term.op)] + "," + spell(term.path);
    for (const auto& value : term.values) {
        out += ",'";
        for (const char c : value) out += c == '\'' ? "''" : std::string(1, c);
        out += '\'';
    }
    return out + ")";
}

bool is_same(const Term& a, const Term& b) {
    return a.op == b.op && a.path == b.path && a.values == b.values && a.typed == b.typed &&
           a.ignores_case == b.ignores_case;
}

// TERM with another operator, and with the one value at AT, if it is said.
bool holds(Term term, Operator op, const json& object, std::optional<std::size_t> at = std::nullopt) {
    term.op = op;
    if (at) {
        term.values = {term.values[*at]};
        if (!term.typed.empty()) term.typed = {term.typed[*at]};
    }
    return term.holds_for(object);
}

bool holds_for_any(const Term& term, Operator op, const json& object) {
    for (std::size_t i = 0; i < term.values.size(); ++i)
        if (holds(term, op, object, i)) return true;
    return false;
}

// What operators mean in terms of each other.
void check_term(const Term& term, const json& object) {
    const bool truth = term.holds_for(object);
    switch (term.op) {
        case Operator::in:
            return require(truth == holds_for_any(term, Operator::eq, object));
        case Operator::cont:
            return require(truth == holds_for_any(term, Operator::cont, object));
        case Operator::gte:
            return require(truth == (holds(term, Operator::gt, object) || holds(term, Operator::eq, object)));
        case Operator::lte:
            return require(truth == (holds(term, Operator::lt, object) || holds(term, Operator::eq, object)));
        case Operator::neq:
            return require(truth == holds(term, Operator::nin, object));
        default:
            return;
    }
}

void check_filter(std::string_view text, const Kind& kind, bool is_accepted) {
    const auto filter = Filter::parse(text, *kind.schema);
    require(filter.has_value() == is_accepted);
    const auto& terms = filter->terms();
    require(!terms.empty() && terms.size() <= Filter::kMaxTerms);
    std::string again, backwards;
    for (const Term& term : terms) {
        require(!term.values.empty() && (term.typed.empty() || term.typed.size() == term.values.size()));
        for (const auto& value : term.typed)
            if (const auto* number = std::get_if<double>(&value)) require(std::isfinite(*number));
        again += (again.empty() ? "" : ";") + spell(term);
        backwards = spell(term) + (backwards.empty() ? "" : ";") + backwards;
    }
    const auto same = Filter::parse(again, *kind.schema);
    require(same &&
            std::equal(terms.begin(), terms.end(), same->terms().begin(), same->terms().end(), is_same));
    const auto turned = Filter::parse(backwards, *kind.schema);
    require(turned.has_value());
    for (const json& object : kind.objects) {
        const bool all =
            std::all_of(terms.begin(), terms.end(), [&](const Term& term) { return term.holds_for(object); });
        require(filter->matches(object) == all && turned->matches(object) == all);
        require(filter->matches_text(http::to_text(object)) == all);
        for (const Term& term : terms) check_term(term, object);
    }
}

// Whether PART says nothing that WHOLE does not. An element of a list of which nothing is shown is an empty
// object.
bool is_part(const json& part, const json& whole, bool is_element = false) {
    if (is_element && part == json::object()) return true;
    if (part.is_object() && whole.is_object())
        return std::all_of(part.items().begin(), part.items().end(), [&](const auto& member) {
            return whole.contains(member.key()) && is_part(member.value(), whole[member.key()]);
        });
    if (!part.is_array() || !whole.is_array()) return part == whole;
    return std::equal(part.begin(), part.end(), whole.begin(), whole.end(),
                      [](const json& a, const json& b) { return is_part(a, b, true); });
}

void check_selection(const Selection& selection, const Kind& kind) {
    for (const json& object : kind.objects) {
        const json some = selection.apply(object);
        require(is_part(some, object) && selection.apply(some) == some);
        for (const auto& field : kind.schema->fields())
            require(!field.is_required() || some.contains(field.name()) == object.contains(field.name()));
    }
}

// A page's objects, and the query of the next one (empty: it is the last).
struct Page {
    json objects;
    std::string next;
};
std::optional<Page> read_page(const std::string& raw, const Kind& kind) {
    http::Request request;
    request.path = "/o2ims_infrastructureInventory/v1/things";
    auto query = http::Query::parse(raw);
    if (!query) {
        check_refusal(query.error(), raw.size());
        return std::nullopt;
    }
    request.query = std::move(*query);
    const auto listing = Listing::parse(request, *kind.schema);
    const auto filter = request.query.find("filter");
    if (!listing) {
        check_refusal(listing.error(), filter.value_or("").size());
        return std::nullopt;
    }
    if (filter && !filter->empty()) check_filter(*filter, kind, true);
    const std::string id = kind.schema->fields().front().name();
    const auto answer = listing->answer([&](const std::string& after, const Listing::Take& take) {
        for (const json& object : kind.objects)
            if (object[id].get_ref<const std::string&>() > after && !take(object)) return;
    });
    if (!answer) {
        check_refusal(answer.error(), 0);
        return std::nullopt;
    }
    Page page{json::parse(std::get<std::string>(answer->body)), {}};
    const std::string link(answer->headers.get("Link"));
    if (!link.empty()) page.next = link.substr(link.find('?') + 1, link.find('>') - link.find('?') - 1);
    return page;
}

void check_query(const std::string& raw, const Kind& kind) {
    auto page = read_page(raw, kind);
    if (!page) return;
    const auto query = http::Query::parse(raw);
    const auto selection = Selection::parse(*query, *kind.schema);
    require(selection.has_value());
    check_selection(*selection, kind);
    if (query->has("nextpage_opaque_marker")) return;
    // The pages together are what the filter takes of all.
    json expected = json::array();
    const auto text = query->find("filter").value_or("");
    const auto filter = Filter::parse(text, *kind.schema);
    for (const json& object : kind.objects)
        if (text.empty() || filter->matches(object)) expected.push_back(selection->apply(object));
    json found = page->objects;
    for (std::size_t pages = 1; !page->next.empty(); ++pages) {
        require(pages <= kind.objects.size());
        page = read_page(page->next, kind);
        require(page && !page->objects.empty());
        found.insert(found.end(), page->objects.begin(), page->objects.end());
    }
    require(found == json::parse(expected.dump()));
}

void check_subscription(const std::string& text) {
    if (text.empty() || !http::is_utf8(text)) return;
    const auto excludes = parse_inventory_filter(text);
    if (!excludes) return check_refusal(excludes.error(), text.size());
    const bool has_brackets = text.starts_with('[') && text.ends_with(']');
    const auto again = parse_inventory_filter(has_brackets ? text : "[" + text + "]");
    require(again.has_value());
    for (const Kind& kind : kinds())
        for (const json& object : kind.objects)
            for (const char* state : {"postObjectState", "priorObjectState"}) {
                const Notification notification{"", kind.schema->name(), json{{state, object}}.dump()};
                require((*excludes)(notification) == (*again)(notification));
            }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if ((data[0] & 0x80) != 0)
        check_subscription(text);
    else
        check_query(text, kinds()[data[0] % kinds().size()]);
    return 0;
}
