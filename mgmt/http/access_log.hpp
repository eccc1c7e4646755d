#pragma once
// One line in the log for each request that was answered.

#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::http {

// "debug", "info", …: the level of these lines. Before the first request.
void log_requests_at(const std::string& level);

// TOOK: from its header to its answer's last byte.
void log_request(const Request& request, Status status, const Delivery& delivery, std::uint64_t took_ns);

// The trace that the request is part of (W3C Trace Context: the header traceparent); empty: none, or
// malformed.
[[nodiscard]] std::string_view trace_id(const Request& request) noexcept;

}  // namespace rouse::http
