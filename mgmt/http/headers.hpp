#pragma once
// Header fields of a message, in order, found by name regardless of case (RFC 9110 5.1).

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rouse::http {

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

class Headers {
  public:
    using Field = std::pair<std::string, std::string>;

    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    // Replaces every field of that name.
    void set(std::string_view name, std::string value);

    // The first field of that name; the view lives as long as the headers stay as they are.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
    // The same, empty when there is none.
    [[nodiscard]] std::string_view get(std::string_view name) const noexcept {
        return find(name).value_or(std::string_view{});
    }

    [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
    [[nodiscard]] auto end() const noexcept { return fields_.end(); }
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    void clear() noexcept { fields_.clear(); }

  private:
    std::vector<Field> fields_;
};

}  // namespace rouse::http
