#include "mgmt/cli/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <ostream>

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

// "a,b" and "k=v,l=w"; what holds more than that, as JSON.
std::string plain(const json& value) {
    if (value.is_null()) return "-";
    std::string text;
    const bool simple =
        std::none_of(value.begin(), value.end(), [](const json& e) { return e.is_structured(); });
    if (value.is_string()) {
        text = value.get<std::string>();
    } else if (value.is_structured() && simple) {
        for (const auto& [name, element] : value.items()) {
            if (!text.empty()) text += ',';
            if (value.is_object()) text += name + '=';
            text += element.is_string() ? element.get<std::string>() : element.dump();
        }
    } else {
        text = value.dump();
    }
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

// TEXT in at most LIMIT columns of a terminal.
std::string shortened(const std::string& text, std::size_t limit) {
    if (width(text) <= limit) return text;
    std::size_t end = 0;
    for (std::size_t seen = 0; end < text.size(); ++end)
        if ((text[end] & 0xc0) != 0x80 && ++seen == limit) break;
    return text.substr(0, end) + "…";
}

// How wide columns may be for lines to fit: the widest give way.
void fit(std::vector<std::size_t>& widths, std::size_t line) {
    constexpr std::size_t kNarrowest = 8;
    std::size_t total = 2 * (widths.size() - 1);
    for (const auto one : widths) total += one;
    while (total > line) {
        const auto widest = std::max_element(widths.begin(), widths.end());
        if (*widest <= kNarrowest) return;
        --*widest;
        --total;
    }
}

// The escape sequence in which a state is shown; empty for other words.
std::string_view colour_of(const std::string& text) {
    constexpr std::string_view kGreen = "\x1b[32m", kYellow = "\x1b[33m", kRed = "\x1b[31m";
    static const std::map<std::string, std::string_view, std::less<>> kStates = {
        {"ACTIVE", kGreen},       {"OPERATIONAL", kGreen}, {"HEALTHY", kGreen},  {"active", kGreen},
        {"good", kGreen},         {"DEPLOYING", kYellow},  {"SCALING", kYellow}, {"UPGRADING", kYellow},
        {"MAINTENANCE", kYellow}, {"DEGRADED", kYellow},   {"WARNING", kYellow}, {"inactive", kYellow},
        {"abandoned", kYellow},   {"ERROR", kRed},         {"CRITICAL", kRed},   {"UNREACHABLE", kRed},
        {"error", kRed},          {"damaged", kRed}};
    const auto found = kStates.find(text);
    return found == kStates.end() ? std::string_view() : found->second;
}

using Lines = std::vector<std::vector<std::string>>;

// The first one is the headings.
Lines cells(const std::vector<Column>& columns, const json& objects) {
    Lines lines(1);
    for (const auto& column : columns) lines[0].push_back(column.heading);
    for (const auto& object : objects) {
        auto& line = lines.emplace_back();
        for (const auto& column : columns) line.push_back(column.text(object));
    }
    return lines;
}

}  // namespace

std::string plain_text(const json& object, const std::string& member) {
    const json* at = &object;
    for (std::size_t begin = 0; begin <= member.size();) {
        const auto dot = std::min(member.find('.', begin), member.size());
        const auto found = at->is_object() ? at->find(member.substr(begin, dot - begin)) : at->end();
        if (found == at->end()) return "-";
        at = &*found;
        begin = dot + 1;
    }
    return plain(*at);
}

Column column(std::string heading, std::string member) {
    return {.heading = std::move(heading),
            .text = [member](const json& object) { return plain_text(object, member); },
            .member = std::move(member)};
}

Column wide_column(std::string heading, std::string member) {
    Column made = column(std::move(heading), std::move(member));
    made.wide = true;
    return made;
}

void print_table(std::ostream& out, const std::vector<Column>& columns, const json& objects,
                 const TableStyle& style) {
    if (objects.empty()) {
        out << "none\n";
        return;
    }
    const Lines lines = cells(columns, objects);
    std::vector<std::size_t> widths(columns.size());
    for (const auto& line : lines)
        for (std::size_t i = 0; i < columns.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
    if (style.width > 0) fit(widths, style.width);
    for (const auto& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            std::string cell = shortened(line[i], widths[i]);
            const std::string space(widths[i] - width(cell), ' ');
            const auto colour = !style.colours            ? std::string_view()
                                : &line == &lines.front() ? std::string_view("\x1b[1m")
                                                          : colour_of(line[i]);
            if (!colour.empty()) cell = std::string(colour) + cell + "\x1b[0m";
            if (i > 0) text += "  ";
            text += columns[i].right ? space + cell : cell + space;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    }
}

void print_members(std::ostream& out, const json& object, const std::vector<std::string>& first) {
    std::vector<std::string> names;
    for (const auto& name : first)
        if (object.contains(name)) names.push_back(name);
    for (const auto& [name, value] : object.items())
        if (std::find(first.begin(), first.end(), name) == first.end()) names.push_back(name);
    std::size_t widest = 0;
    for (const auto& name : names) widest = std::max(widest, width(name));
    for (const auto& name : names)
        out << name << std::string(widest - width(name) + 2, ' ') << plain(object.at(name)) << '\n';
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
