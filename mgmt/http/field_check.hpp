#pragma once
// Checks a document against a schema, collecting every error, and builds its canonical form.

#include "mgmt/http/schema.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::http {

class FieldCheck {
  public:
    enum class Mode : std::uint8_t {
        whole,   // all that is required must be there; null counts as absent
        patch,   // nothing must be there; null removes
        merged,  // whole, but for what is never stored in the clear (write-only)
    };
    static constexpr std::size_t kMaxErrors = 100;  // an answer stays readable

    explicit FieldCheck(Mode mode) : mode_(mode) {}
    [[nodiscard]] OrProblem<nlohmann::json> run(const Schema& schema, const nlohmann::json& body);
    // IN as FIELD's value alone.
    [[nodiscard]] OrProblem<nlohmann::json> run(const Field& field, const nlohmann::json& in);

  private:
    using json = nlohmann::json;
    // Each returns IN's canonical form, or anything at all after an error. POINTER says where IN stands.
    json members(const Schema& schema, const json& in, const std::string& pointer);
    json value(const Field& field, const json& in, const std::string& pointer);
    json text(const Field& field, const json& in, const std::string& pointer);
    json address(const Field& field, const json& in, const std::string& pointer);
    json whole_number(const Field& field, const json& in, const std::string& pointer);
    json floating(const Field& field, const json& in, const std::string& pointer);
    json elements(const Field& field, const json& in, const std::string& pointer);
    json entries(const Field& field, const json& in, const std::string& pointer);

    void complete(const Schema& schema, json& out, const std::string& pointer);
    bool has_size(const Field& field, std::size_t size, const char* of_what, const std::string& pointer);
    json wrong(const std::string& pointer, std::string detail);

    Mode mode_;
    std::vector<FieldError> errors_;
};

// TEXT, of a query parameter, as FIELD's value; of an array's field: as one element's. The problem's detail
// reads on after the parameter's name.
[[nodiscard]] OrProblem<nlohmann::json> value_from_text(const Field& field, std::string_view text);

}  // namespace rouse::http
