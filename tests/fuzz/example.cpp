#include "tests/fuzz/example.hpp"

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace rouse::fuzz {
namespace {

using http::Field;
using http::FieldType;
using http::Schema;
using nlohmann::json;

constexpr std::size_t kDepth = 6;     // of schemas within schemas
constexpr std::size_t kLongest = 80;  // characters, where a text may be longer still

// What the documentation says of SCHEMA's fields: the limits and words that they are checked by.
const json& properties(const Schema& schema) {
    static std::map<const Schema*, json> known;
    auto& out = known[&schema];
    if (out.is_null()) out = schema.describe().at("properties");
    return out;
}

json one_of(const std::vector<json>& values, Choices& choices) {
    return values[choices.next(values.size())];
}

json odd_value(Choices& choices) {
    return one_of({nullptr, "", "1", 0, -1, 1.5, 1e300, std::numeric_limits<std::uint64_t>::max(), true,
                   json::array(), json::object(), json{{"a", {1, json::array({"b"})}}}, "a\u0000\n\u00e9"},
                  choices);
}

json text_value(const json& described, Choices& choices) {
    const auto shortest = described.value("minLength", std::size_t{0});
    const auto longest = std::min(described.value("maxLength", kLongest), kLongest);
    return one_of({"x1", "name", "10.77.0.9", "02:00:00:00:00:01", "https://smo.example/x?y=1", "a/b", "NEW",
                   "{\"a\": 1}", "rack 7, it's (new)", "\u00e9\U0001f600", std::string(shortest, 'a'),
                   std::string(longest, 'b'), std::string(longest + 1, 'c'), "two\nlines", "\x7f", "-",
                   "01890000-0000-7000-8000-000000000000", "2026-11-29T12:00:00Z"},
                  choices);
}

json number_value(const json& described, Choices& choices) {
    const json low = described.value("minimum", json(1));
    const json high = described.value("maximum", json(1'000'000));
    return one_of({low, high, json(low.get<std::int64_t>() + 1), json(low.get<double>() - 1),
                   json(high.get<double>() + 1), json(0), json(0.5), json(-0.0)},
                  choices);
}

json value_of(const Field& field, const json& described, Choices& choices, std::size_t depth);

json object_of(const Schema& schema, Choices& choices, std::size_t depth) {
    json out = json::object();
    if (depth == kDepth) return out;
    for (const auto& field : schema.fields())
        if (choices.next(4) != 3)
            out[field.name()] = value_of(field, properties(schema).at(field.name()), choices, depth);
    return out;
}

json list_of(const Field& field, const json& described, Choices& choices, std::size_t depth) {
    json out = json::array();
    for (std::size_t left = (choices.next(4) + 1) % 4; left > 0; --left)
        out.push_back(value_of(field.element(), described.at("items"), choices, depth));
    return out;
}

json map_of(const Field& field, const json& described, Choices& choices, std::size_t depth) {
    json out = json::object();
    const json keys = described.contains("propertyNames") ? described["propertyNames"]["enum"]
                                                          : json{"a", "a/b", "@x~", "it's, (b)", "@key"};
    for (std::size_t left = (choices.next(4) + 1) % 4; left > 0; --left) {
        const json key = keys[choices.next(keys.size())];
        out[key.get<std::string>()] =
            value_of(field.element(), described.at("additionalProperties"), choices, depth);
    }
    return out;
}

json value_of(const Field& field, const json& described, Choices& choices, std::size_t depth) {
    if (choices.next(16) == 15) return odd_value(choices);
    switch (field.type()) {
        case FieldType::string:
            return text_value(described, choices);
        case FieldType::integer:
        case FieldType::number:
            return number_value(described, choices);
        case FieldType::boolean:
            return choices.next(2) == 0;
        case FieldType::mac:
            return one_of({"02:00:00:00:00:01", "02-00-00-00-00-0A", "0200.0000.0002", "020000000003",
                           "01:00:00:00:00:01", "00:00:00:00:00:00"},
                          choices);
        case FieldType::ipv4:
            return one_of({"10.77.0.9", "0.0.0.0", "255.255.255.255", "10.77.0.256", "10.77.0"}, choices);
        case FieldType::prefix:
            return one_of({"10.77.0.0/16", "0.0.0.0/0", "10.77.0.9/32", "10.77.0.9/16", "10.0.0.0/33"},
                          choices);
        case FieldType::uuid:
            return one_of({"01890000-0000-7000-8000-000000000000", "FFFFFFFF-0000-7000-8000-00000000000A",
                           "01890000-0000-7000-8000-00000000000", "0189000000007000800000000000000000"},
                          choices);
        case FieldType::timestamp:
            return one_of({"2026-11-29T12:00:00Z", "9999-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z",
                           "2026-02-30T00:00:00Z", "2026-11-29T12:00:00+01:00"},
                          choices);
        case FieldType::choice:
            return described.at("enum")[choices.next(described.at("enum").size())];
        case FieldType::array:
            return list_of(field, described, choices, depth);
        case FieldType::map:
            return map_of(field, described, choices, depth);
        case FieldType::object:
            return object_of(*field.schema(), choices, depth + 1);
        case FieldType::any:
            return one_of(
                {json{{"vendor", "ACME"}, {"memoryGib", 512}, {"parts", {{{"kind", "nic"}}, 3}}},
                 json{{"a/b", {{"@c~", true}}}}, "text", 7, json::array({"a", json{{"vendor", 1}}})},
                choices);
    }
    return nullptr;
}

}  // namespace

std::size_t Choices::next(std::size_t of) {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte % of;
}

json example_of(const Schema& schema, Choices& choices) {
    return object_of(schema, choices, 0);
}

}  // namespace rouse::fuzz
