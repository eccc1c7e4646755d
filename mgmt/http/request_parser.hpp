#pragma once
// Beast's HTTP/1 parser, writing straight into a Request and into whatever buffer the body is read to.

#include "mgmt/http/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

namespace rouse::http {

namespace beast = boost::beast;

class RequestParser final : public beast::http::basic_parser<true> {
  public:
    RequestParser(Request& request, std::uint32_t max_header_bytes);

    // Where the body's bytes go from now on, and how many have arrived there.
    void set_body_buffer(std::span<std::byte> buffer) noexcept {
        body_ = buffer;
        filled_ = 0;
    }
    [[nodiscard]] std::size_t filled() const noexcept { return filled_; }

    [[nodiscard]] bool is_http_1_0() const noexcept { return version_ < 11; }
    [[nodiscard]] bool expects_continue() const noexcept { return expects_continue_; }
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept;

    // What to answer when the header cannot be served, although it may have been parsed.
    [[nodiscard]] const std::optional<Problem>& refusal() const noexcept { return refusal_; }
    // What to answer to an error of put(), which was given RECEIVED of a header, or something of a body.
    [[nodiscard]] static Problem describe_header(const beast::error_code& error, std::string_view received);
    [[nodiscard]] static Problem describe(const beast::error_code& error);

  private:
    using error_code = beast::error_code;
    using string_view = beast::string_view;
    void on_request_impl(beast::http::verb method, string_view method_text, string_view target, int version,
                         error_code& error) override;
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(beast::http::field, string_view name, string_view value, error_code&) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view body, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& error) override {
        return on_body_impl(body, error);
    }
    void on_finish_impl(error_code&) override {}

    void set_target(std::string_view target);
    void refuse(Status status, std::string detail);

    Request& request_;
    std::span<std::byte> body_;
    std::size_t filled_ = 0;
    int version_ = 11;
    bool expects_continue_ = false;
    std::optional<Problem> refusal_;
};

}  // namespace rouse::http
