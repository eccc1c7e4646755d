#pragma once
// A request's body out of a string, handed over in pieces; and a cut connection, when `cut` is set.

#include "mgmt/http/request.hpp"

#include <algorithm>
#include <cstring>

namespace rouse::http {

struct BodyText final : BodySource {
    explicit BodyText(std::string body, std::size_t bytes_at_once = 7)
        : text(std::move(body)), piece(bytes_at_once) {}

    asio::awaitable<OrProblem<std::size_t>> read_some(std::span<std::byte> buffer) override {
        if (cut && offset == text.size()) co_return problem(Status::bad_request, "cut");
        const std::size_t n = std::min({piece, buffer.size(), text.size() - offset});
        std::memcpy(buffer.data(), text.data() + offset, n);
        offset += n;
        co_return n;
    }
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return announced; }

    std::string text;
    std::size_t piece;
    std::size_t offset = 0;
    bool cut = false;
    std::optional<std::uint64_t> announced;
};

}  // namespace rouse::http
