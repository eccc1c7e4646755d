#pragma once
// What a Connection sends: the half of connection.cpp that answers, included there alone.

#include "mgmt/await.hpp"
#include "mgmt/http/connection.hpp"
#include "mgmt/http/response_head.hpp"
#include "mgmt/http/web_socket_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/sendfile.h>
#include <unistd.h>

namespace rouse::http {

template <typename Stream>
std::string Connection<Stream>::head(const Response& response, std::optional<std::uint64_t> length) const {
    return response_head(response, {length, parser_->is_http_1_0(), keep_alive_}, request_.id);
}

// Not complete: the connection can carry nothing more.
template <typename Stream>
asio::awaitable<Delivery> Connection<Stream>::respond(Response response) {
    // Told however it ends: a connection that is cut ends by an exception.
    struct Report {
        std::function<void(const Delivery&)> on_end;
        Delivery delivery{};
        ~Report() {
            if (on_end) on_end(delivery);
        }
    };
    Report report{std::move(response.on_end)};
    report.delivery.complete = co_await send(response, report.delivery);
    co_return report.delivery;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::send(Response& response, Delivery& delivery) {
    if (is_web_socket(response)) co_return co_await run_web_socket(response);
    const bool silent = request_.method == Method::head || has_no_body(response.status);
    if (auto* text = std::get_if<std::string>(&response.body)) {
        std::string out = head(response, text->size());
        if (silent) co_return co_await write_all(out);
        const bool separate = text->size() > kCoalesce;
        if (!separate) out += *text;
        if (!co_await write_all(out, separate ? std::string_view(*text) : std::string_view{}))
            co_return false;
        delivery.bytes = text->size();
        co_return true;
    }
    if (auto* range = std::get_if<FileRange>(&response.body)) {
        const std::string out = head(response, range->length);
        if (!co_await write_all(out)) co_return false;
        if (silent) co_return true;
        if constexpr (std::is_same_v<Stream, TcpSocket>)
            co_return co_await send_file(std::move(*range), delivery);
        else
            co_return co_await copy_file(std::move(*range), delivery);
    }
    if (!takes_chunks()) keep_alive_ = false;  // HTTP/1.0 knows the end of such a body by the connection's
    const std::string out = head(response, std::nullopt);
    if (!co_await write_all(out)) co_return false;
    if (silent) co_return true;
    co_await std::get<StreamBody>(response.body)(*this);
    if (broken_) co_return false;
    if (takes_chunks()) co_return co_await write_all("0\r\n\r\n");
    co_return true;
}

// True when it ended as it should: then there is nothing more to say, in HTTP or otherwise.
template <typename Stream>
asio::awaitable<bool> Connection<Stream>::run_web_socket(Response& response) {
    keep_alive_ = false;
    // Frames before the answer break the protocol (RFC 6455 4.1), and Beast would never see them.
    const bool served = buffer_.size() == 0 && co_await serve_web_socket(stream_, request_, response);
    broken_ = true;
    co_return served;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::write(std::string_view data) {
    if (broken_ || context_->stopping) co_return false;
    if (data.empty()) co_return true;  // an empty chunk would end the body
    bool sent = false;
    if (takes_chunks()) {
        char size[24];
        const int n = std::snprintf(size, sizeof size, "%zx\r\n", data.size());
        std::string framed(size, static_cast<std::size_t>(n));
        framed.append(data).append("\r\n");
        sent = co_await write_all(framed);
    } else {
        sent = co_await write_all(data);
    }
    wait_forever();
    co_return sent;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::write_all(std::string_view first, std::string_view second) {
    std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(second)};
    while (asio::buffer_size(buffers) > 0) {
        wait_at_most(context_->options.stall_timeout);
        auto [error, n] = co_await stream_.async_write_some(buffers, kAwait);
        if (error) {
            broken_ = true;
            co_return false;
        }
        const std::size_t of_first = std::min(n, buffers[0].size());
        buffers[0] += of_first;
        buffers[1] += n - of_first;
    }
    co_return true;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::send_file(FileRange range, Delivery& delivery) {
    // Bounded, so that one fast client and a large file do not keep the thread from all others.
    constexpr std::uint64_t kAtOnce = 1 << 20;
    socket().native_non_blocking(true);
    auto offset = static_cast<off_t>(range.offset);
    while (range.length > 0) {
        wait_at_most(context_->options.stall_timeout);
        const std::uint64_t asked = std::min(range.length, kAtOnce);
        const ssize_t n = ::sendfile(socket().native_handle(), range.file->descriptor(), &offset, asked);
        if (n < 0 && errno == EINTR) continue;
        bool goes_on = n > 0 || (n < 0 && errno == EAGAIN);
        const std::uint64_t taken = n > 0 ? static_cast<std::uint64_t>(n) : 0;
        range.length -= taken;
        delivery.bytes += taken;
        if (goes_on && taken == asked) {
            if (range.length > 0) co_await asio::post(stream_.get_executor(), asio::use_awaitable);
        } else if (goes_on) {
            // The socket is full. Until the kernel calls it writable, when a good part of it is free: trying
            // sooner would send a few kilobytes at a time, which costs several times as much per byte.
            const auto [error] = co_await socket().async_wait(TcpSocket::wait_write, kAwait);
            goes_on = !error;
        }
        if (!goes_on) {  // the client has gone, or the file is shorter than announced
            broken_ = true;
            co_return false;
        }
    }
    co_return true;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::copy_file(FileRange range, Delivery& delivery) {
    std::string chunk(kBodyRead, '\0');
    while (range.length > 0) {
        const ssize_t n =
            ::pread(range.file->descriptor(), chunk.data(),
                    std::min<std::uint64_t>(range.length, chunk.size()), static_cast<off_t>(range.offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            broken_ = true;
            co_return false;
        }
        range.offset += static_cast<std::uint64_t>(n);
        range.length -= static_cast<std::uint64_t>(n);
        if (!co_await write_all(std::string_view(chunk.data(), static_cast<std::size_t>(n)))) co_return false;
        delivery.bytes += static_cast<std::uint64_t>(n);
    }
    co_return true;
}

}  // namespace rouse::http
