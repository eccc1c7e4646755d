#pragma once
// How a coroutine waits where an error is an expected outcome: `const auto [error, n] = co_await read(…,
// kAwait)`.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rouse {

inline constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace rouse
