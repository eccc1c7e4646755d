#pragma once
// The attribute filter of collections (O2ims 2.1.3 after ETSI GS NFV-SOL 013 5.2):
//   (eq,name,'rack 7');(in,resourceKind,PHYSICAL,LOGICAL);(gte,extensions/memoryGib,64)
// Every term must hold. A path through a list holds when any of its elements does; a term about an attribute
// that an object has not is false.

#include "mgmt/http/problem.hpp"
#include "mgmt/http/schema.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

enum class Operator : std::uint8_t { eq, neq, gt, lt, gte, lte, in, nin, cont, ncont };

// A way into an object: names of attributes, through lists without a word.
struct Path {
    std::vector<std::string> names;
    bool of_key = false;  // the last is "@key": what a map's keys are compared with, not its values

    friend bool operator==(const Path&, const Path&) = default;
};

// "extensions/vendor~1model" of objects of SCHEMA. A 400 that names what is not an attribute.
[[nodiscard]] http::OrProblem<Path> parse_path(std::string_view text, const http::Schema& schema);
// What stands at the end of PATH, which is SCHEMA's; null: anything may.
[[nodiscard]] const http::Field* field_at(const Path& path, const http::Schema& schema);

// A value as it is compared: dates by time (milliseconds since 1970), numbers by size.
using Comparable = std::variant<std::string, double, bool>;

struct Term {
    Operator op = Operator::eq;
    Path path{};
    std::vector<std::string> names_in_text{};  // PATH's; see object_text.hpp
    std::vector<std::string> values{};         // as they were written
    std::vector<Comparable> typed{};  // the same, by the attribute's type; empty: the type is the object's
    bool ignores_case = false;        // UUIDs

    [[nodiscard]] bool holds_for(const nlohmann::json& object) const;
    // The same of an object's text; see object_text.hpp.
    [[nodiscard]] bool holds_for_text(std::string_view object) const;
};

class Filter {
  public:
    static constexpr std::size_t kMaxTerms = 32;
    static constexpr std::size_t kMaxValues = 1000;  // of one term

    // TEXT: the parameter, percent-decoded. A 400 that says what is wrong, and where.
    [[nodiscard]] static http::OrProblem<Filter> parse(std::string_view text, const http::Schema& schema);

    [[nodiscard]] bool matches(const nlohmann::json& object) const;
    [[nodiscard]] bool matches_text(std::string_view object) const;
    [[nodiscard]] const std::vector<Term>& terms() const noexcept { return terms_; }
    // The one value that PATH must be equal to, for an index; null: there is no such term.
    [[nodiscard]] const std::string* equals(std::string_view name) const noexcept;

  private:
    std::vector<Term> terms_;
};

}  // namespace rouse::o2ims
