#pragma once
// The one table of status codes that the management plane answers with (RFC 9110 15, RFC 6585).

#include <cstdint>
#include <string_view>

namespace rouse::http {

// X(identifier, code, reason phrase)
#define ROUSE_STATUSES(X)                                                      \
    X(continue_, 100, "Continue")                                              \
    X(ok, 200, "OK")                                                           \
    X(created, 201, "Created")                                                 \
    X(accepted, 202, "Accepted")                                               \
    X(no_content, 204, "No Content")                                           \
    X(partial_content, 206, "Partial Content")                                 \
    X(not_modified, 304, "Not Modified")                                       \
    X(bad_request, 400, "Bad Request")                                         \
    X(unauthorized, 401, "Unauthorized")                                       \
    X(forbidden, 403, "Forbidden")                                             \
    X(not_found, 404, "Not Found")                                             \
    X(method_not_allowed, 405, "Method Not Allowed")                           \
    X(not_acceptable, 406, "Not Acceptable")                                   \
    X(request_timeout, 408, "Request Timeout")                                 \
    X(conflict, 409, "Conflict")                                               \
    X(gone, 410, "Gone")                                                       \
    X(precondition_failed, 412, "Precondition Failed")                         \
    X(content_too_large, 413, "Content Too Large")                             \
    X(uri_too_long, 414, "URI Too Long")                                       \
    X(unsupported_media_type, 415, "Unsupported Media Type")                   \
    X(range_not_satisfiable, 416, "Range Not Satisfiable")                     \
    X(unprocessable_content, 422, "Unprocessable Content")                     \
    X(precondition_required, 428, "Precondition Required")                     \
    X(too_many_requests, 429, "Too Many Requests")                             \
    X(request_header_fields_too_large, 431, "Request Header Fields Too Large") \
    X(internal_server_error, 500, "Internal Server Error")                     \
    X(not_implemented, 501, "Not Implemented")                                 \
    X(service_unavailable, 503, "Service Unavailable")                         \
    X(gateway_timeout, 504, "Gateway Timeout")                                 \
    X(http_version_not_supported, 505, "HTTP Version Not Supported")           \
    X(insufficient_storage, 507, "Insufficient Storage")

enum class Status : std::uint16_t {
#define X(id, code, phrase) id = code,
    ROUSE_STATUSES(X)
#undef X
};

[[nodiscard]] constexpr unsigned code(Status status) noexcept {
    return static_cast<unsigned>(status);
}

[[nodiscard]] constexpr std::string_view reason_phrase(Status status) noexcept {
    switch (status) {
#define X(id, code, phrase) \
    case Status::id:        \
        return phrase;
        ROUSE_STATUSES(X)
#undef X
    }
    return "";
}

}  // namespace rouse::http
