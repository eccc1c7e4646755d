#pragma once
// Objects as a table for people.

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
    bool right = false;  // aligned, for numbers
};

// A column that shows a member as it is.
[[nodiscard]] Column column(std::string heading, std::string member);

// One line per object under one of headings; "none" when there is none.
void print_table(std::ostream& out, const std::vector<Column>& columns, const nlohmann::json& objects);
// One line per member: "mac  52:54:…".
void print_members(std::ostream& out, const nlohmann::json& object);

// A member's value for people: strings without quotes, null and absent as "-".
[[nodiscard]] std::string plain_text(const nlohmann::json& object, const std::string& member);
// 54123456 as "54.1 MB".
[[nodiscard]] std::string human_size(double bytes);

}  // namespace rouse::cli
