#pragma once
// The status line and header fields of an HTTP/1 response, as bytes.

#include "mgmt/http/response.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::http {

struct Framing {
    std::optional<std::uint64_t> length;  // of the body; nothing: not known beforehand
    bool http_1_0 = false;                // of the request: no chunks, no keep-alive without saying so
    bool keep_alive = true;
};

[[nodiscard]] bool has_no_body(Status status) noexcept;

[[nodiscard]] std::string response_head(const Response& response, const Framing& framing,
                                        std::string_view request_id);

}  // namespace rouse::http
