#pragma once
// A content of the catalogue as an HTTP response: whole, a range of it, or "not modified" (RFC 9110 13, 14).

#include "mgmt/boot/catalogue.hpp"
#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"
#include "shared/store/records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::ims {

struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
};
enum class RangeKind : std::uint8_t { whole, part, unsatisfiable };
struct RangeAnswer {
    RangeKind kind = RangeKind::whole;
    ByteRange range;
};
// A Range header for a content of SIZE bytes. Headers of other forms, several ranges among them, ask for the
// whole, as RFC 9110 14.2 allows.
[[nodiscard]] RangeAnswer parse_range(std::string_view header, std::uint64_t size);

// Blocking only for an open(2). A file that is gone is a 404.
[[nodiscard]] http::Outcome image_response(const boot::Catalogue& catalogue, const http::Request& request,
                                           const store::Sha256& hash, std::uint64_t size);

}  // namespace rouse::ims
