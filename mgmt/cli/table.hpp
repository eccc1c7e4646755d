#pragma once
// Objects as a table for people.

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::cli {

struct Column {
    std::string heading;
    std::function<std::string(const nlohmann::json& object)> text;
    bool right = false;       // aligned, for numbers
    bool wide = false;        // only with -o wide
    std::string member = {};  // that it shows, if it is one
};

// A column that shows a member as it is. "hardware.memory" is the member of a member.
[[nodiscard]] Column column(std::string heading, std::string member);
[[nodiscard]] Column wide_column(std::string heading, std::string member);

struct TableStyle {
    std::size_t width = 0;  // longer lines lose ends of their widest cells; 0: no limit
    bool colours = false;
};

// One line per object under one of headings; "none" when there is none.
void print_table(std::ostream& out, const std::vector<Column>& columns, const nlohmann::json& objects,
                 const TableStyle& style = {});
// One line per member: "mac  52:54:…"; those of FIRST before the others.
void print_members(std::ostream& out, const nlohmann::json& object,
                   const std::vector<std::string>& first = {});

// A member's value for people: strings without quotes, lists with commas, null and absent as "-".
[[nodiscard]] std::string plain_text(const nlohmann::json& object, const std::string& member);
// 54123456 as "54.1 MB".
[[nodiscard]] std::string human_size(double bytes);

}  // namespace rouse::cli
