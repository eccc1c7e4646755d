#include "mgmt/cli/yaml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace rouse::cli {
namespace {

using nlohmann::json;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Words that some version of YAML reads as true, false or null, in small letters.
bool is_reserved(std::string_view text) {
    constexpr auto kWords =
        std::to_array<std::string_view>({"true", "false", "yes", "no", "on", "off", "y", "n", "null"});
    return std::any_of(kWords.begin(), kWords.end(), [text](std::string_view word) {
        return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                          [](char a, char b) { return (is_letter(a) ? (a | 0x20) : a) == b; });
    });
}

bool may_be_plain(std::string_view text) {
    if (text.empty() || !(is_letter(text.front()) || text.front() == '/' || text.front() == '_'))
        return false;
    const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') ||
               std::string_view("_-./@+=, ").find(c) != std::string_view::npos;
    });
    return harmless && text.back() != ' ' && !is_reserved(text);
}

// Bytes of the UTF-8 sequence that LEAD begins.
std::size_t sequence_length(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

std::uint32_t code_point(std::string_view sequence) {
    if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]);
    std::uint32_t value = static_cast<unsigned char>(sequence[0]) & (0xffU >> (sequence.size() + 1));
    for (std::size_t i = 1; i < sequence.size(); ++i)
        value = value << 6 | (static_cast<unsigned char>(sequence[i]) & 0x3fU);
    return value;
}

// YAML 1.2 5.1: those that are printable need no escape; line separators would fold.
bool is_printable(std::uint32_t point) {
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
    return point != 0x2028 && point != 0x2029 && point != 0xfeff && point != 0xfffe && point != 0xffff;
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const auto sequence = text.substr(at, sequence_length(static_cast<unsigned char>(text[at])));
        const std::uint32_t point = code_point(sequence);
        at += sequence.size();
        if (point == '"' || point == '\\') {
            out += '\\';
            out += sequence;
        } else if (point == '\n') {
            out += "\\n";
        } else if (point == '\t') {
            out += "\\t";
        } else if (is_printable(point)) {
            out += sequence;
        } else {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(point));
            out += escape;
        }
    }
    return out + '"';
}

std::string scalar(const json& value) {
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        return may_be_plain(text) ? text : in_quotes(text);
    }
    std::string text = value.is_structured() ? (value.is_array() ? "[]" : "{}") : value.dump();
    // To YAML 1.1 a number without a point is no floating-point number.
    const auto exponent = text.find('e');
    if (value.is_number_float() && exponent != text.npos && text.find('.') == text.npos)
        text.insert(exponent, ".0");
    return text;
}

bool is_block(const json& value) {
    return value.is_structured() && !value.empty();
}

// LINE: what stands before VALUE in its line already.
void write(std::string& out, const json& value, std::string line, std::size_t indent) {
    if (!is_block(value)) {
        out += line + scalar(value) + "\n";
        return;
    }
    // A block in a list begins in the line of its dash; one under a key in a line of its own.
    if (line.ends_with(": ")) {
        line.pop_back();
        out += line + "\n";
        line.clear();
    }
    const auto begin = [&] {
        std::string start = line.empty() ? std::string(indent, ' ') : line;
        line.clear();
        return start;
    };
    if (value.is_object()) {
        for (const auto& [name, member] : value.items()) {
            const bool list = member.is_array() && is_block(member);
            write(out, member, begin() + scalar(name) + ": ", list ? indent : indent + 2);
        }
    } else {
        for (const auto& element : value) write(out, element, begin() + "- ", indent + 2);
    }
}

template <typename Number>
bool parse_all(std::string_view text, Number& number) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

json plain_value(const std::string& text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    if (std::string_view("+-.0123456789").find(text.front()) == std::string_view::npos) return text;
    if (std::int64_t whole = 0; parse_all(text, whole)) return whole;
    if (std::uint64_t whole = 0; parse_all(text, whole)) return whole;
    if (double number = 0; parse_all(text, number)) return number;
    return text;
}

constexpr unsigned kMaxDepth = 64;  // an alias may name what it is in

json to_json(const YAML::Node& node, unsigned depth = 0) {
    if (depth > kMaxDepth) throw YAML::ParserException(node.Mark(), "it is nested too deeply");
    switch (node.Type()) {
        case YAML::NodeType::Scalar:
            return node.Tag() == "!" ? json(node.Scalar()) : plain_value(node.Scalar());
        case YAML::NodeType::Sequence: {
            json out = json::array();
            for (const auto& element : node) out.push_back(to_json(element, depth + 1));
            return out;
        }
        case YAML::NodeType::Map: {
            json out = json::object();
            for (const auto& pair : node) {
                const auto key = pair.first.as<std::string>();
                if (out.contains(key))
                    throw YAML::ParserException(pair.first.Mark(), "there are two of " + key);
                out[key] = to_json(pair.second, depth + 1);
            }
            return out;
        }
        default:
            return nullptr;
    }
}

}  // namespace

std::string to_yaml(const json& value) {
    std::string out;
    write(out, value, "", 0);
    return out;
}

OrFailure<std::vector<json>> from_yaml(const std::string& text) {
    try {
        std::vector<json> documents;
        for (const auto& node : YAML::LoadAll(text))
            if (auto document = to_json(node); !document.is_null()) documents.push_back(std::move(document));
        return documents;
    } catch (const YAML::Exception& error) {
        return failure(ExitCode::usage, "line " + std::to_string(error.mark.line + 1) +
                                            " is not understood as YAML: " + error.msg);
    }
}

}  // namespace rouse::cli
