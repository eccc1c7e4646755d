#pragma once
// Objects as their JSON text, as http::to_text() (json_text.hpp) writes it: without white space. A tree of
// the same takes several times the memory, and most questions are about one value of it.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

struct FoundText {
    std::string_view value;
    std::size_t depth = 0;  // how many of the names lead there
};

// NAME as it stands in the text of an object that has it: with its quotes and escapes.
[[nodiscard]] std::string name_in_text(const std::string& name);

// Goes from OBJECT along NAMES, as name_in_text() has them, as far as there are objects: to a list, a simple
// value, or the end of NAMES. Nothing: there is no such way.
[[nodiscard]] std::optional<FoundText> find_in_text(std::string_view object,
                                                    std::span<const std::string> names);

// Whether TEST says so of an element of LIST, as find_in_text() found it; the first that it does ends this.
[[nodiscard]] bool any_element(std::string_view list,
                               const std::function<bool(std::string_view element)>& test);

// A value that find_in_text() found, as a tree.
[[nodiscard]] nlohmann::json parse_text(std::string_view value);

}  // namespace rouse::o2ims
