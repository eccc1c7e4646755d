#pragma once
// Runs a function on a pool's thread and resumes the caller where it was.

#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rouse::ims {

// FUNCTION returns a value and does not throw.
template <typename F>
boost::asio::awaitable<std::invoke_result_t<F&>> run_on(boost::asio::thread_pool& pool, F function) {
    namespace asio = boost::asio;
    using R = std::invoke_result_t<F&>;
    auto initiate = [&pool](auto handler, F work) {
        auto guard = asio::make_work_guard(asio::get_associated_executor(handler));
        asio::post(
            pool, [work = std::move(work), handler = std::move(handler), guard = std::move(guard)]() mutable {
                auto finish = [handler = std::move(handler), result = work()]() mutable {
                    std::move(handler)(std::move(result));
                };
                asio::post(guard.get_executor(), std::move(finish));
            });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(R)>(
        std::move(initiate), asio::use_awaitable, std::move(function));
}

}  // namespace rouse::ims
