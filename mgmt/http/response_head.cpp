#include "mgmt/http/response_head.hpp"

#include <ctime>

namespace rouse::http {
namespace {

// IMF-fixdate (RFC 9110 5.6.7), written once per second and thread.
std::string_view date_now() {
    thread_local std::time_t second = 0;
    thread_local char text[32];
    const std::time_t now = std::time(nullptr);
    if (now != second) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        second = now;
    }
    return text;
}

// A value is never allowed to start another field.
void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? ' ' : c;
    out.append("\r\n");
}

}  // namespace

bool has_no_body(Status status) noexcept {
    return status == Status::no_content || status == Status::not_modified;
}

std::string response_head(const Response& response, const Framing& framing, std::string_view request_id) {
    std::string out;
    out.reserve(512);
    out.append("HTTP/1.1 ")
        .append(std::to_string(code(response.status)))
        .append(" ")
        .append(reason_phrase(response.status))
        .append("\r\n");
    append_field(out, "Date", date_now());
    for (const auto& [name, value] : response.headers) append_field(out, name, value);
    append_field(out, "X-Request-Id", request_id);
    if (!has_no_body(response.status)) {
        if (framing.length)
            append_field(out, "Content-Length", std::to_string(*framing.length));
        else if (!framing.http_1_0)
            append_field(out, "Transfer-Encoding", "chunked");
    }
    if (!framing.keep_alive)
        append_field(out, "Connection", "close");
    else if (framing.http_1_0)
        append_field(out, "Connection", "keep-alive");
    out.append("\r\n");
    return out;
}

}  // namespace rouse::http
