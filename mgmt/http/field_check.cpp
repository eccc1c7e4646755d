#include "mgmt/http/field_check.hpp"

#include "mgmt/http/json_pointer.hpp"
#include "shared/addresses.hpp"

#include <algorithm>

namespace rouse::http {
namespace {

using nlohmann::json;

const char* kind_of(const json& value) {
    switch (value.type()) {
        case json::value_t::null:
            return "null";
        case json::value_t::object:
            return "an object";
        case json::value_t::array:
            return "an array";
        case json::value_t::string:
            return "a string";
        case json::value_t::boolean:
            return "a boolean";
        case json::value_t::number_float:
            return "a number with a fraction";
        default:
            return "a number";
    }
}

std::string join(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

std::string writable_names(const Schema& schema) {
    std::vector<std::string> names;
    for (const auto& field : schema.fields())
        if (!field.is_read_only()) names.push_back(field.name());
    return join(names);
}

std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool has_control_characters(std::string_view text, bool multiline) {
    return std::any_of(text.begin(), text.end(), [multiline](char c) {
        if (multiline && (c == '\n' || c == '\r' || c == '\t')) return false;
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

// RFC 3339 5.6 in UTC: 2026-11-20T12:34:56[.789]Z. Of one length up to the fraction, so to the second their
// texts sort as the times do.
bool is_timestamp(std::string_view text) {
    constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:dd";
    if (text.size() <= kPattern.size() || text.back() != 'Z') return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t i = 0; i < kPattern.size(); ++i)
        if (kPattern[i] == 'd' ? !is_digit(text[i]) : text[i] != kPattern[i]) return false;
    const auto two = [text](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
    const bool in_range = two(5) >= 1 && two(5) <= 12 && two(8) >= 1 && two(8) <= 31 && two(11) < 24 &&
                          two(14) < 60 && two(17) <= 60;
    auto fraction = text.substr(kPattern.size(), text.size() - kPattern.size() - 1);
    if (!in_range || fraction.empty()) return in_range;
    fraction.remove_prefix(1);
    return text[kPattern.size()] == '.' && !fraction.empty() && fraction.size() <= 9 &&
           std::all_of(fraction.begin(), fraction.end(), is_digit);
}

// Also as switches (5254.0012.3456) and inventories (525400123456) spell it.
std::optional<MacAddress> parse_mac(std::string text) {
    if (text.size() == 14 && text[4] == '.' && text[9] == '.') text.erase(9, 1).erase(4, 1);
    if (text.size() == 12)
        for (std::size_t at = 10; at > 0; at -= 2) text.insert(at, ":");
    return MacAddress::parse(text);
}

// 8-4-4-4-12 hex digits (RFC 9562 4), in lower case; nothing for anything else.
std::optional<std::string> canonical_uuid(std::string text) {
    if (text.size() != 36) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char& c = text[i];
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c + ('a' - 'A'));
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    }
    return text;
}

}  // namespace

OrProblem<json> FieldCheck::run(const Schema& schema, const json& body) {
    auto out = members(schema, body, "");
    if (!errors_.empty()) return invalid_body(std::move(errors_));
    return out;
}

OrProblem<json> FieldCheck::run(const Field& field, const json& in) {
    auto out = value(field, in, "");
    if (!errors_.empty()) return problem(Status::bad_request, errors_.front().detail);
    return out;
}

json FieldCheck::wrong(const std::string& pointer, std::string detail) {
    if (errors_.size() < kMaxErrors) errors_.push_back({pointer, std::move(detail)});
    return nullptr;
}

json FieldCheck::members(const Schema& schema, const json& in, const std::string& pointer) {
    if (!in.is_object()) return wrong(pointer, std::string("must be an object, not ") + kind_of(in));
    json out = json::object();
    for (const auto& [name, member] : in.items()) {
        const std::string here = pointer + pointer_step(name);
        const Field* field = schema.find(name);
        if (field == nullptr) {
            if (schema.is_tolerant()) continue;
            wrong(here, "is not a field of " + schema.name() + ", which has " + writable_names(schema));
        } else if (field->is_read_only()) {
            continue;
        } else if (!member.is_null()) {
            out[name] = value(*field, member, here);
        } else if (mode_ == Mode::patch) {
            if (field->is_required()) wrong(here, "is required and cannot be removed");
            out[name] = nullptr;
        }
    }
    if (mode_ != Mode::patch) complete(schema, out, pointer);
    return out;
}

void FieldCheck::complete(const Schema& schema, json& out, const std::string& pointer) {
    for (const auto& field : schema.fields()) {
        if (field.is_read_only() || out.contains(field.name())) continue;
        if (field.is_required() && !(mode_ == Mode::merged && field.is_write_only()))
            wrong(pointer + pointer_step(field.name()), "is required");
        else if (field.default_value() != nullptr)
            out[field.name()] = *field.default_value();
    }
}

json FieldCheck::value(const Field& field, const json& in, const std::string& pointer) {
    switch (field.type_) {
        case FieldType::string:
        case FieldType::timestamp:
        case FieldType::choice:
            return text(field, in, pointer);
        case FieldType::mac:
        case FieldType::ipv4:
        case FieldType::prefix:
        case FieldType::uuid:
            return address(field, in, pointer);
        case FieldType::integer:
            return whole_number(field, in, pointer);
        case FieldType::number:
            return floating(field, in, pointer);
        case FieldType::boolean:
            return in.is_boolean() ? in
                                   : wrong(pointer, std::string("must be true or false, not ") + kind_of(in));
        case FieldType::array:
            return elements(field, in, pointer);
        case FieldType::map:
            return entries(field, in, pointer);
        case FieldType::object:
            return members(*field.schema_, in, pointer);
        case FieldType::any:
            return in;
    }
    return nullptr;
}

json FieldCheck::text(const Field& field, const json& in, const std::string& pointer) {
    if (!in.is_string()) return wrong(pointer, std::string("must be a string, not ") + kind_of(in));
    const auto& text = in.get_ref<const std::string&>();
    if (field.type_ == FieldType::choice) {
        if (std::find(field.words_.begin(), field.words_.end(), text) == field.words_.end())
            return wrong(pointer, "must be one of " + join(field.words_));
        return in;
    }
    if (field.type_ == FieldType::timestamp && !is_timestamp(text))
        return wrong(pointer, "must be a time in UTC such as 2026-11-20T12:34:56Z (RFC 3339)");
    if (!has_size(field, characters(text), "characters", pointer)) return nullptr;
    if (has_control_characters(text, field.multiline_))
        return wrong(pointer, "must not hold control characters");
    if (field.predicate_ != nullptr && !field.predicate_(text)) return wrong(pointer, field.expectation_);
    return in;
}

json FieldCheck::address(const Field& field, const json& in, const std::string& pointer) {
    const std::string text = in.is_string() ? in.get<std::string>() : "";
    if (field.type_ == FieldType::mac) {
        const auto mac = parse_mac(text);
        if (!mac) return wrong(pointer, "must be a MAC address such as 52:54:00:12:34:56");
        if (mac->is_group() || mac->is_zero())
            return wrong(pointer, "must be one machine's MAC address, not a group's and not zero");
        return mac->to_string();
    }
    if (field.type_ == FieldType::ipv4) {
        const auto ip = Ipv4Address::parse(text);
        return ip ? json(ip->to_string()) : wrong(pointer, "must be an IPv4 address such as 10.77.0.1");
    }
    if (field.type_ == FieldType::prefix) {
        const auto prefix = Ipv4Prefix::parse(text);
        return prefix ? json(prefix->to_string())
                      : wrong(pointer,
                              "must be an IPv4 network such as 10.77.0.0/16, with no bits beyond its length");
    }
    const auto uuid = canonical_uuid(text);
    return uuid ? json(*uuid) : wrong(pointer, "must be a UUID such as 0b9c2f4e-5d1a-4c3b-9e8f-7a6b5c4d3e2f");
}

json FieldCheck::whole_number(const Field& field, const json& in, const std::string& pointer) {
    const auto low = field.minimum_.value_or(std::numeric_limits<std::int64_t>::min());
    const auto high = field.maximum_.value_or(std::numeric_limits<std::int64_t>::max());
    const bool fits = in.is_number_integer() &&
                      (!in.is_number_unsigned() || std::in_range<std::int64_t>(in.get<std::uint64_t>())) &&
                      in.get<std::int64_t>() >= low && in.get<std::int64_t>() <= high;
    if (fits) return in;
    std::string expected = "must be a whole number";
    if (field.minimum_) expected += " from " + std::to_string(low) + " to " + std::to_string(high);
    return wrong(pointer, in.is_number() ? expected : expected + ", not " + kind_of(in));
}

json FieldCheck::floating(const Field& field, const json& in, const std::string& pointer) {
    if (!in.is_number()) return wrong(pointer, std::string("must be a number, not ") + kind_of(in));
    const double number = in.get<double>();
    if (field.minimum_ &&
        (number < static_cast<double>(*field.minimum_) || number > static_cast<double>(*field.maximum_)))
        return wrong(pointer, "must be a number from " + std::to_string(*field.minimum_) + " to " +
                                  std::to_string(*field.maximum_));
    return in;
}

json FieldCheck::elements(const Field& field, const json& in, const std::string& pointer) {
    if (!in.is_array()) return wrong(pointer, std::string("must be an array, not ") + kind_of(in));
    if (!has_size(field, in.size(), "elements", pointer)) return nullptr;
    // An array is replaced as a whole, by PATCH too, so its elements are complete objects.
    const Mode outer = std::exchange(mode_, mode_ == Mode::patch ? Mode::whole : mode_);
    json out = json::array();
    for (std::size_t i = 0; i < in.size(); ++i)
        out.push_back(value(*field.element_, in[i], pointer + pointer_step(i)));
    mode_ = outer;
    return out;
}

json FieldCheck::entries(const Field& field, const json& in, const std::string& pointer) {
    if (!in.is_object()) return wrong(pointer, std::string("must be an object, not ") + kind_of(in));
    if (!has_size(field, in.size(), "members", pointer)) return nullptr;
    json out = json::object();
    for (const auto& [key, entry] : in.items()) {
        const std::string here = pointer + pointer_step(key);
        if (!field.words_.empty() &&
            std::find(field.words_.begin(), field.words_.end(), key) == field.words_.end())
            wrong(here, "is not a key of " + field.name() + ", which may hold " + join(field.words_));
        else if (!entry.is_null())
            out[key] = value(*field.element_, entry, here);
        else if (mode_ == Mode::patch)
            out[key] = nullptr;
    }
    return out;
}

bool FieldCheck::has_size(const Field& field, std::size_t size, const char* of_what,
                          const std::string& pointer) {
    if (size >= field.minimum_size_ && size <= field.maximum_size_) return true;
    if (field.minimum_size_ == 1 && size == 0) {
        wrong(pointer, "must not be empty");
        return false;
    }
    wrong(pointer, "must have " + std::to_string(field.minimum_size_) + " to " +
                       std::to_string(field.maximum_size_) + " " + of_what + ", not " + std::to_string(size));
    return false;
}

OrProblem<json> value_from_text(const Field& field, std::string_view text) {
    switch (field.type()) {
        case FieldType::array:
            return value_from_text(field.element(), text);
        case FieldType::map:
        case FieldType::object:
        case FieldType::any:
            return problem(Status::bad_request, "has parts, by which nothing can be found");
        case FieldType::timestamp:
            return json(text);
        case FieldType::integer:
        case FieldType::number:
        case FieldType::boolean: {
            const json value = json::parse(text, nullptr, false);
            return FieldCheck(FieldCheck::Mode::whole).run(field, value.is_discarded() ? json(text) : value);
        }
        default:
            return FieldCheck(FieldCheck::Mode::whole).run(field, json(text));
    }
}

}  // namespace rouse::http
