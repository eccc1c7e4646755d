#include "mgmt/o2ims/query/filter.hpp"

#include "mgmt/http/headers.hpp"
#include "mgmt/http/moment.hpp"
#include "mgmt/o2ims/query/object_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace rouse::o2ims {

using http::Field;
using http::FieldType;
using http::OrProblem;
using http::Schema;
using nlohmann::json;

namespace {

constexpr std::pair<std::string_view, Operator> kOperators[] = {
    {"eq", Operator::eq},     {"neq", Operator::neq},    {"gt", Operator::gt}, {"lt", Operator::lt},
    {"gte", Operator::gte},   {"lte", Operator::lte},    {"in", Operator::in}, {"nin", Operator::nin},
    {"cont", Operator::cont}, {"ncont", Operator::ncont}};
constexpr std::string_view kKey = "@key";

bool takes_many(Operator op) {
    return op == Operator::in || op == Operator::nin || op == Operator::cont || op == Operator::ncont;
}
bool is_about_text(Operator op) {
    return op == Operator::cont || op == Operator::ncont;
}
bool is_about_order(Operator op) {
    return op == Operator::gt || op == Operator::lt || op == Operator::gte || op == Operator::lte;
}

tl::unexpected<http::Problem> wrong(const std::string& detail) {
    return http::problem(http::Status::bad_request, "the query parameter filter " + detail);
}

// Nothing for a "~" that means none of these.
std::optional<std::string> unescape(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '~') {
            out += name[i];
            continue;
        }
        const char what = ++i < name.size() ? name[i] : '\0';
        if (what == '0')
            out += '~';
        else if (what == '1')
            out += '/';
        else if (what == 'b')
            out += '@';
        else
            return std::nullopt;
    }
    return out;
}

// A number, all of TEXT; not "nan" or "inf", which JSON has not.
std::optional<double> to_number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// What is compared by FIELD's type; nothing when TEXT is not of it.
std::optional<Comparable> typed(const Field& field, const std::string& text) {
    switch (field.type()) {
        case FieldType::integer:
        case FieldType::number:
            if (const auto number = to_number(text)) return *number;
            return std::nullopt;
        case FieldType::boolean:
            if (text == "true" || text == "false") return text == "true";
            return std::nullopt;
        case FieldType::timestamp:
            if (const auto moment = http::parse_moment(text)) return static_cast<double>(*moment);
            return std::nullopt;
        case FieldType::uuid:
            return lower(text);
        default:
            return text;
    }
}

std::string_view expectation(FieldType type) {
    switch (type) {
        case FieldType::integer:
        case FieldType::number:
            return "a number";
        case FieldType::boolean:
            return "true or false";
        default:
            return "a time such as 2026-11-20T12:34:56Z";
    }
}

// What VALUE, of an object, is compared as beside LIKE.
std::optional<Comparable> comparable(const json& value, const Comparable& like) {
    if (value.is_number() && std::holds_alternative<double>(like)) return value.get<double>();
    if (value.is_boolean() && std::holds_alternative<bool>(like)) return value.get<bool>();
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    if (std::holds_alternative<std::string>(like)) return text;
    if (!std::holds_alternative<double>(like)) return std::nullopt;
    const auto moment = http::parse_moment(text);
    return moment ? std::optional<Comparable>(static_cast<double>(*moment)) : std::nullopt;
}

// TEXT as whatever VALUE is: for attributes whose type nobody declared.
std::optional<Comparable> like_value(const std::string& text, const json& value) {
    if (value.is_number()) {
        const auto number = to_number(text);
        return number ? std::optional<Comparable>(*number) : std::nullopt;
    }
    if (value.is_boolean())
        return text == "true" || text == "false" ? std::optional<Comparable>(text == "true") : std::nullopt;
    return text;
}

bool is_in_order(Operator op, const Comparable& value, const Comparable& wanted) {
    if (op == Operator::gt) return value > wanted;
    if (op == Operator::lt) return value < wanted;
    return op == Operator::gte ? value >= wanted : value <= wanted;
}

class Parser {
  public:
    Parser(std::string_view text, const Schema& schema) : rest_(text), whole_(text), schema_(schema) {}

    OrProblem<std::vector<Term>> parse() {
        std::vector<Term> terms;
        for (;;) {
            auto term = parse_term();
            if (!term) return tl::unexpected(std::move(term.error()));
            terms.push_back(std::move(*term));
            if (rest_.empty()) return terms;
            if (!take(';')) return expected("\";\" between two terms");
            if (terms.size() == Filter::kMaxTerms)
                return wrong("has more than " + std::to_string(Filter::kMaxTerms) + " terms");
        }
    }

  private:
    OrProblem<Term> parse_term() {
        if (!take('(')) return expected("\"(\"");
        const std::string_view name = until(",()");
        const auto known = std::find_if(std::begin(kOperators), std::end(kOperators),
                                        [name](const auto& one) { return one.first == name; });
        if (known == std::end(kOperators))
            return wrong("has the operator \"" + std::string(name) +
                         "\"; there are eq, neq, gt, lt, gte, lte, in, nin, cont and ncont");
        Term term{.op = known->second};
        if (!take(',')) return expected("\",\" and an attribute");
        auto path = parse_path(until(",()"), schema_);
        if (!path) return tl::unexpected(std::move(path.error()));
        term.path = std::move(*path);
        for (const auto& one : term.path.names) term.names_in_text.push_back(name_in_text(one));
        while (take(',')) {
            auto value = parse_value();
            if (!value) return tl::unexpected(std::move(value.error()));
            term.values.push_back(std::move(*value));
            if (term.values.size() > Filter::kMaxValues)
                return wrong("has more than " + std::to_string(Filter::kMaxValues) + " values in a term");
        }
        if (term.values.empty()) return expected("\",\" and a value");
        if (term.values.size() > 1 && !takes_many(term.op))
            return wrong("has several values for " + std::string(name) + ", which takes one");
        if (!take(')')) return expected("\")\"");
        if (auto checked = add_type(term); !checked) return tl::unexpected(std::move(checked.error()));
        return term;
    }

    OrProblem<std::string> parse_value() {
        if (!take('\'')) return std::string(until(",()'"));
        std::string out;
        for (;;) {
            const auto end = rest_.find('\'');
            if (end == std::string_view::npos) return expected("\"'\" at the end of a quoted value");
            out += rest_.substr(0, end);
            rest_.remove_prefix(end + 1);
            if (!take('\'')) return out;
            out += '\'';
        }
    }

    // Values of the attribute's type; a 400 for those that are not.
    OrProblem<void> add_type(Term& term) const {
        const Field* field = field_at(term.path, schema_);
        if (field == nullptr || term.path.of_key || is_about_text(term.op)) return {};
        const Field& one = field->type() == FieldType::array ? field->element() : *field;
        if (one.type() == FieldType::any) return {};
        const std::string name = term.path.names.back();
        if (!one.has_one_value()) return wrong("compares " + name + ", which is an object");
        if (one.type() == FieldType::boolean && is_about_order(term.op))
            return wrong("compares " + name + " by order, which is true or false");
        term.ignores_case = one.type() == FieldType::uuid;
        for (const auto& value : term.values) {
            auto made = typed(one, value);
            if (!made)
                return wrong("compares " + name + " with \"" + value + "\", which is not " +
                             std::string(expectation(one.type())));
            term.typed.push_back(std::move(*made));
        }
        return {};
    }

    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view until(std::string_view ends) {
        const auto taken = rest_.substr(0, rest_.find_first_of(ends));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    [[nodiscard]] tl::unexpected<http::Problem> expected(const std::string& what) const {
        return wrong("needs " + what + " after its first " + std::to_string(whole_.size() - rest_.size()) +
                     " bytes");
    }

    std::string_view rest_;
    std::string_view whole_;
    const Schema& schema_;
};

}  // namespace

OrProblem<Path> parse_path(std::string_view text, const Schema& schema) {
    Path path;
    const auto unknown = [&] {
        return http::problem(http::Status::bad_request,
                             "there is no attribute \"" + std::string(text) + "\" in " + schema.name());
    };
    for (std::string_view rest = text;;) {
        const auto slash = rest.find('/');
        const auto name = rest.substr(0, slash);
        if (name.empty() || path.of_key) return unknown();
        path.of_key = name == kKey;
        if (!path.of_key) {
            auto plain = unescape(name);
            if (!plain) return unknown();
            path.names.push_back(std::move(*plain));
        }
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    if (path.names.empty()) return unknown();
    // Every step must be one of the schema's, until one that may hold anything.
    const Schema* of = &schema;
    const Field* field = nullptr;
    for (const auto& name : path.names) {
        if (of != nullptr)
            field = of->find(name);
        else if (field->type() == FieldType::map)
            field = &field->element();
        else
            field = nullptr;
        if (field == nullptr) return unknown();
        if (field->type() == FieldType::any) return path;
        const Field& inner = field->type() == FieldType::array ? field->element() : *field;
        of = inner.type() == FieldType::object ? inner.schema() : nullptr;
        if (inner.type() == FieldType::any) return path;
    }
    if (path.of_key && field->type() != FieldType::map) return unknown();
    return path;
}

const Field* field_at(const Path& path, const Schema& schema) {
    const Schema* of = &schema;
    const Field* field = nullptr;
    for (const auto& name : path.names) {
        field = of != nullptr ? of->find(name) : &field->element();
        if (field == nullptr) return nullptr;
        const Field& inner = field->type() == FieldType::array ? field->element() : *field;
        if (inner.type() == FieldType::any) return nullptr;
        of = inner.type() == FieldType::object ? inner.schema() : nullptr;
    }
    return field;
}

namespace {

// What most terms of most filters ask of each object: without a copy of either text.
bool is_same_text(const Term& term, const std::string& have, const std::string& wanted) {
    return term.ignores_case ? http::equal_ignoring_case(have, wanted) : have == wanted;
}

bool compare(const Term& term, const json& value, std::size_t at) {
    if (value.is_string() && !is_about_text(term.op) && !is_about_order(term.op)) {
        const auto* wanted =
            term.typed.empty() ? &term.values[at] : std::get_if<std::string>(&term.typed[at]);
        if (wanted != nullptr) return is_same_text(term, value.get_ref<const std::string&>(), *wanted);
    }
    if (is_about_text(term.op))
        return value.is_string() &&
               value.get_ref<const std::string&>().find(term.values[at]) != std::string::npos;
    const auto wanted =
        term.typed.empty() ? like_value(term.values[at], value) : std::optional<Comparable>(term.typed[at]);
    if (!wanted) return false;
    auto have = comparable(value, *wanted);
    if (!have) return false;
    if (auto* text = std::get_if<std::string>(&*have); text != nullptr && term.ignores_case)
        *text = lower(std::move(*text));
    return is_about_order(term.op) ? is_in_order(term.op, *have, *wanted) : *have == *wanted;
}

bool holds_for_value(const Term& term, const json& value) {
    bool any = false;
    for (std::size_t i = 0; i < term.values.size() && !any; ++i) any = compare(term, value, i);
    const bool is_negative =
        term.op == Operator::neq || term.op == Operator::nin || term.op == Operator::ncont;
    return any != is_negative;
}

bool holds(const Term& term, const json& value, std::size_t depth) {
    if (value.is_null()) return false;
    if (value.is_array())
        return std::any_of(value.begin(), value.end(),
                           [&](const json& one) { return holds(term, one, depth); });
    if (depth < term.path.names.size()) {
        if (!value.is_object()) return false;
        const auto found = value.find(term.path.names[depth]);
        return found != value.end() && holds(term, *found, depth + 1);
    }
    if (term.path.of_key) {
        if (!value.is_object()) return false;
        for (const auto& [key, unused] : value.items())
            if (holds_for_value(term, json(key))) return true;
        return false;
    }
    return !value.is_object() && holds_for_value(term, value);
}

// The same of TEXT, from where NAMES, the last of the term's, begin.
bool holds_in_text(const Term& term, std::string_view text, std::span<const std::string> names) {
    const auto found = find_in_text(text, names);
    if (!found) return false;
    const auto rest = names.subspan(found->depth);
    if (found->value.starts_with('['))
        return any_element(found->value,
                           [&](std::string_view one) { return holds_in_text(term, one, rest); });
    return holds(term, parse_text(found->value), term.path.names.size() - rest.size());
}

}  // namespace

bool Term::holds_for(const json& object) const {
    return holds(*this, object, 0);
}

bool Term::holds_for_text(std::string_view object) const {
    return holds_in_text(*this, object, names_in_text);
}

OrProblem<Filter> Filter::parse(std::string_view text, const Schema& schema) {
    auto terms = Parser(text, schema).parse();
    if (!terms) return tl::unexpected(std::move(terms.error()));
    Filter out;
    out.terms_ = std::move(*terms);
    return out;
}

bool Filter::matches(const json& object) const {
    return std::all_of(terms_.begin(), terms_.end(),
                       [&](const Term& term) { return term.holds_for(object); });
}

bool Filter::matches_text(std::string_view object) const {
    return std::all_of(terms_.begin(), terms_.end(),
                       [&](const Term& term) { return term.holds_for_text(object); });
}

const std::string* Filter::equals(std::string_view name) const noexcept {
    for (const Term& term : terms_)
        if (term.op == Operator::eq && !term.path.of_key && term.path.names.size() == 1 &&
            term.path.names.front() == name)
            return &term.values.front();
    return nullptr;
}

}  // namespace rouse::o2ims
