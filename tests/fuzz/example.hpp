#pragma once
// Objects of a schema, as a fuzzer's bytes choose them: each field with what it may hold, the ends of that,
// and now and then what it may not.

#include "mgmt/http/schema.hpp"

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::fuzz {

// Bytes as decisions; once they are used up, every decision is the first that there is.
class Choices {
  public:
    explicit Choices(std::string_view bytes) : rest_(bytes) {}
    // Below OF, which is from 1 to 256.
    std::size_t next(std::size_t of);

  private:
    std::string_view rest_;
};

// Without bytes: every field with the plainest value that its type has.
[[nodiscard]] nlohmann::json example_of(const http::Schema& schema, Choices& choices);

}  // namespace rouse::fuzz
