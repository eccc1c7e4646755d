#pragma once
// Runs a coroutine to its end on the calling thread.

#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace rouse::http {

template <typename T>
T run_to_end(boost::asio::awaitable<T> work) {
    boost::asio::io_context io;
    std::optional<T> result;
    boost::asio::co_spawn(io, std::move(work), [&result](std::exception_ptr error, T value) {
        if (error) std::rethrow_exception(error);
        result = std::move(value);
    });
    io.run();
    return std::move(result.value());
}

}  // namespace rouse::http
