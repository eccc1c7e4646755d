#pragma once
// Percent-encoding (RFC 3986 2.1) and the query part of a request's target.

#include "mgmt/http/problem.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rouse::http {

// Nothing for a "%" without two hex digits, for an encoded NUL, and for what is not UTF-8 once decoded.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// Encodes everything but RFC 3986's unreserved characters and those in KEEP.
[[nodiscard]] std::string percent_encode(std::string_view text, std::string_view keep = "");

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// The query, raw and as decoded pairs. Separated by "&" alone: O2ims filters hold a bare ";".
class Query {
  public:
    Query() = default;
    [[nodiscard]] static OrProblem<Query> parse(std::string_view raw);

    [[nodiscard]] const std::string& raw() const noexcept { return raw_; }
    // The first parameter of that name; one without "=" is empty.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name).has_value(); }
    // A whole number; FALLBACK when absent, a 400 that names the parameter when it is not within the bounds.
    [[nodiscard]] OrProblem<std::uint64_t> integer(std::string_view name, std::uint64_t fallback,
                                                   std::uint64_t minimum, std::uint64_t maximum) const;
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& pairs() const noexcept {
        return pairs_;
    }

  private:
    std::string raw_;
    std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace rouse::http
