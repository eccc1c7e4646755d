#include "mgmt/http/request_parser.hpp"

#include <algorithm>
#include <cstring>

#include <boost/beast/http/error.hpp>

namespace rouse::http {

RequestParser::RequestParser(Request& request, std::uint32_t max_header_bytes) : request_(request) {
    header_limit(max_header_bytes);
    body_limit(boost::none);  // whoever reads the body knows how much it may be
}

std::optional<std::uint64_t> RequestParser::length() const noexcept {
    if (chunked()) return std::nullopt;
    return content_length().value_or(0);
}

void RequestParser::refuse(Status status, std::string detail) {
    if (!refusal_) refusal_ = Problem{status, std::move(detail), {}, {}};
}

void RequestParser::on_request_impl(beast::http::verb /*method*/, string_view method_text, string_view target,
                                    int version, error_code& /*error*/) {
    version_ = version;
    const std::string_view name(method_text.data(), method_text.size());
    if (const auto method = http::parse_method(name))
        request_.method = *method;
    else
        refuse(Status::not_implemented, "the method " + std::string(name) + " is not known here");
    set_target({target.data(), target.size()});
}

// The forms of RFC 9112 3.2: origin ("/path?query"), absolute ("http://host/path"), asterisk ("*").
void RequestParser::set_target(std::string_view target) {
    if (const auto scheme = target.find("://");
        !target.starts_with('/') && scheme != std::string_view::npos) {
        const auto slash = target.find('/', scheme + 3);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    const auto mark = std::min(target.find('?'), target.size());
    request_.path = target.substr(0, mark);
    if (!request_.path.starts_with('/') && request_.path != "*")
        refuse(Status::bad_request, "the request's target must begin with a slash");
    auto query = Query::parse(target.substr(std::min(mark + 1, target.size())));
    if (query)
        request_.query = std::move(*query);
    else
        refuse(query.error().status, query.error().detail);
}

void RequestParser::on_field_impl(beast::http::field /*field*/, string_view name, string_view value,
                                  error_code& /*error*/) {
    request_.headers.add({name.data(), name.size()}, {value.data(), value.size()});
}

void RequestParser::on_header_impl(error_code& /*error*/) {
    const auto hosts =
        std::count_if(request_.headers.begin(), request_.headers.end(),
                      [](const Headers::Field& field) { return equal_ignoring_case(field.first, "Host"); });
    if (hosts > 1 || (hosts == 0 && !is_http_1_0()))
        refuse(Status::bad_request, "an HTTP/1.1 request has exactly one Host header");
    // A coding that is not understood leaves no way to tell where the body ends (RFC 9112 6.3).
    if (request_.headers.find("Transfer-Encoding") && !chunked())
        refuse(Status::not_implemented, "the only Transfer-Encoding understood here is chunked");
    expects_continue_ = !is_http_1_0() && equal_ignoring_case(request_.headers.get("Expect"), "100-continue");
}

std::size_t RequestParser::on_body_impl(string_view body, error_code& error) {
    const std::size_t n = std::min(body.size(), body_.size() - filled_);
    std::memcpy(body_.data() + filled_, body.data(), n);
    filled_ += n;
    if (n < body.size()) error = beast::http::error::need_buffer;
    return n;
}

Problem RequestParser::describe_header(const error_code& why, std::string_view received) {
    if (why == beast::http::error::header_limit && received.find('\n') == std::string_view::npos)
        return {Status::uri_too_long, "the request's target is too long", {}, {}};
    return describe(why);
}

Problem RequestParser::describe(const error_code& why) {
    using beast::http::error;
    if (why == error::header_limit)
        return {Status::request_header_fields_too_large, "the request line and header are too large", {}, {}};
    if (why == error::bad_version)
        return {Status::http_version_not_supported, "only HTTP/1.1 and HTTP/1.0 are spoken here", {}, {}};
    return {Status::bad_request, "the request is not well-formed HTTP: " + why.message(), {}, {}};
}

}  // namespace rouse::http
