#pragma once
// Which attributes of an object an answer shows (O2ims 2.1.3 after ETSI GS NFV-SOL 013 5.3): all_fields,
// fields, exclude_fields, exclude_default.

#include "mgmt/http/uri.hpp"
#include "mgmt/o2ims/query/filter.hpp"

#include <initializer_list>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

class Selection {
  public:
    // Everything but DEFAULTS, which are left out unless they are asked for, when QUERY says nothing. What
    // the schema has first, which identifies an object, and what it requires are always there; what is
    // excluded is not, though it be among `fields`. A 400 for names that objects of SCHEMA have not, and for
    // parameters that contradict each other.
    [[nodiscard]] static http::OrProblem<Selection> parse(
        const http::Query& query, const http::Schema& schema,
        std::initializer_list<std::string_view> defaults = {});

    [[nodiscard]] bool is_everything() const noexcept { return shown_.empty() && hidden_.empty(); }
    // OBJECT's part of it. SCHEMA's, which outlives this.
    [[nodiscard]] nlohmann::json apply(nlohmann::json object) const;

  private:
    explicit Selection(const http::Schema& schema) : schema_(&schema) {}

    const http::Schema* schema_;
    std::vector<Path> shown_;  // empty: all
    std::vector<Path> hidden_;
};

}  // namespace rouse::o2ims
