#include "mgmt/http/access_log.hpp"

#include "mgmt/http/router.hpp"
#include "shared/clock.hpp"
#include "shared/logging.hpp"

#include <atomic>

#include <spdlog/spdlog.h>

namespace rouse::http {
namespace {

std::atomic<spdlog::level::level_enum> request_level{spdlog::level::debug};

bool is_hex(std::string_view text) noexcept {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void log_requests_at(const std::string& level) {
    request_level = spdlog::level::from_str(level);
}

void log_request(const Request& request, Status status, const Delivery& delivery, std::uint64_t took_ns) {
    const auto level = request_level.load();
    if (!spdlog::should_log(level)) return;
    const double millis = static_cast<double>(took_ns) / static_cast<double>(kNanosPerMilli);
    nlohmann::ordered_json fields{{"request_id", request.id}, {"method", to_string(request.method)},
                                  {"path", request.path},     {"status", code(status)},
                                  {"bytes", delivery.bytes},  {"complete", delivery.complete},
                                  {"duration_ms", millis},    {"peer", request.peer.to_string()}};
    if (request.route != nullptr) fields["route"] = request.route->pattern;
    if (request.principal) fields["user"] = request.principal->user;
    if (const auto trace = trace_id(request); !trace.empty()) fields["trace_id"] = trace;
    const LogFields with(fields);
    spdlog::log(level, "request {}: {} {} {} {} bytes in {:.1f} ms from {}{}{}", request.id,
                to_string(request.method), request.path, code(status), delivery.bytes, millis,
                request.peer.to_string(), request.principal ? " by " + request.principal->user : "",
                delivery.complete ? "" : ", cut");
}

std::string_view trace_id(const Request& request) noexcept {
    // 00-<32 hex: trace>-<16 hex: parent>-<2 hex: flags>; later versions may have more behind.
    const auto header = request.headers.get("traceparent");
    constexpr std::size_t kLength = 55;
    if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') return {};
    const auto trace = header.substr(3, 32);
    const bool is_valid = is_hex(header.substr(0, 2)) && header.substr(0, 2) != "ff" && is_hex(trace) &&
                          is_hex(header.substr(36, 16)) &&
                          trace.find_first_not_of('0') != std::string_view::npos;
    return is_valid ? trace : std::string_view{};
}

}  // namespace rouse::http
