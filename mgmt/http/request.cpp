#include "mgmt/http/request.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

namespace rouse::http {

Request::Request() : json_(std::make_unique<nlohmann::json>()) {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

const std::string& Request::parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters_)
        if (key == name) return value;
    throw std::out_of_range("the route has no path parameter {" + std::string(name) + "}");
}

asio::awaitable<OrProblem<std::size_t>> Request::read_some(std::span<std::byte> buffer) {
    if (source_ == nullptr) co_return std::size_t{0};
    co_return co_await source_->read_some(buffer);
}

std::optional<std::uint64_t> Request::body_length() const noexcept {
    return source_ == nullptr ? 0 : source_->length();
}

void Request::set_json(nlohmann::json body) {
    *json_ = std::move(body);
}

}  // namespace rouse::http
