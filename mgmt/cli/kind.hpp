#pragma once
// The kinds of objects that the appliance keeps, as commands see them: one table, from which list, show, add,
// set, delete, apply and completion are made. A test compares it with the API's own description.

#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/table.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::cli {

enum class ValueType : std::uint8_t {
    text,
    number,
    boolean,
    list,   // of texts
    pairs,  // KEY=TEXT, an object
    files,  // NAME=FILE, a list of {name, content}
    secret  // asked for, or read from standard input
};

// A field that `add` and `set` write.
struct Member {
    std::string option;  // "--gateway"; "CIDR" is a position of `add` and --cidr of `set`
    std::string field;
    std::string help;
    ValueType type = ValueType::text;
    std::vector<std::string> words{};  // suggested, the appliance checks
    std::string refers{};              // noun of the kind whose objects it names

    [[nodiscard]] bool is_position() const { return !option.starts_with("--"); }
    // The option of `set`.
    [[nodiscard]] std::string flag() const;
};

// A way of filtering a list that is common enough for an option of its own.
struct Filter {
    std::string option;
    std::string field;
    std::string help;
    std::vector<std::string> words{};
    std::string refers{};
};

enum class Verb : std::uint8_t { list = 1, show = 2, add = 4, set = 8, remove = 16 };

struct Kind {
    std::string noun;    // the command: "pool"
    std::string title;   // in sentences: "pool"
    std::string schema;  // in the API's description: "IpPool"
    std::string help;
    std::string path;                   // "/api/ip-pools/"
    std::vector<std::string> names;     // fields that objects are found by, the natural name first
    std::vector<Column> columns{};      // of lists
    std::vector<std::string> fields{};  // shown first
    std::vector<Member> members{};
    std::vector<Filter> filters{};
    unsigned verbs = 31;        // Verb, or-ed
    bool name_is_id = false;    // the name is in the path: images, leases
    bool sent_by_id = false;    // others refer to it by its id
    bool single = false;        // there is one, without a name
    std::string takes_along{};  // noun of the kind whose objects of this one are deleted with it
    std::string force{};        // what ?force=true of a deletion does

    [[nodiscard]] bool can(Verb verb) const { return (verbs & static_cast<unsigned>(verb)) != 0; }
    [[nodiscard]] const Member* find(const std::string& field) const;
    // Of one object. ID is encoded here.
    [[nodiscard]] std::string path_of(const std::string& id) const;
    // "MACHINE": how help calls one that is to be named.
    [[nodiscard]] std::string position() const;
    // What people call OBJECT.
    [[nodiscard]] std::string name_of(const nlohmann::json& object) const;
};

[[nodiscard]] const std::vector<Kind>& kinds();
[[nodiscard]] std::string upper_case(std::string text);
// Null when there is none of that noun.
[[nodiscard]] const Kind* find_kind(const std::string& noun);
// One that is known to be there.
[[nodiscard]] const Kind& kind(const std::string& noun);

// FAILURE, its faults told by the options of KIND's `add` (or of its `set`) instead of the API's fields.
[[nodiscard]] Failure by_options(Failure failure, const Kind& kind, bool adding);

}  // namespace rouse::cli
