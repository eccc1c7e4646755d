#include "mgmt/cli/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

std::string plain(const json& value) {
    if (value.is_null()) return "-";
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    // What a machine or another user put in must not move the cursor.
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    return text.empty() ? "-" : text;
}

// Columns on a terminal; good enough for names: every character counts as one.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string plain_text(const json& object, const std::string& member) {
    const auto found = object.is_object() ? object.find(member) : object.end();
    return found == object.end() ? "-" : plain(*found);
}

Column column(std::string heading, std::string member) {
    return {std::move(heading),
            [member = std::move(member)](const json& object) { return plain_text(object, member); }};
}

void print_table(std::ostream& out, const std::vector<Column>& columns, const json& objects) {
    if (objects.empty()) {
        out << "none\n";
        return;
    }
    std::vector<std::vector<std::string>> lines(1);
    for (const auto& column : columns) lines[0].push_back(column.heading);
    for (const auto& object : objects) {
        auto& line = lines.emplace_back();
        for (const auto& column : columns) line.push_back(column.text(object));
    }
    std::vector<std::size_t> widths(columns.size());
    for (const auto& line : lines)
        for (std::size_t i = 0; i < columns.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string space(widths[i] - width(line[i]), ' ');
            if (i > 0) text += "  ";
            text += columns[i].right ? space + line[i] : line[i] + space;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    }
}

void print_members(std::ostream& out, const json& object) {
    std::size_t widest = 0;
    for (const auto& [name, value] : object.items()) widest = std::max(widest, width(name));
    for (const auto& [name, value] : object.items())
        out << name << std::string(widest - width(name) + 2, ' ') << plain(value) << '\n';
}

std::string human_size(double bytes) {
    constexpr auto kUnits = std::to_array<const char*>({"B", "kB", "MB", "GB", "TB"});
    std::size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
        bytes /= 1000;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes,
                  kUnits[unit]);
    return text;
}

}  // namespace rouse::cli
