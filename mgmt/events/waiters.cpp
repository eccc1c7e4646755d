#include "mgmt/events/waiters.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rouse::events {

namespace asio = boost::asio;

std::size_t Waiters::HashId::operator()(const store::Id& id) const noexcept {
    std::uint64_t random = 0;  // the second half of a UUID of version 7
    std::memcpy(&random, id.octets.data() + 8, sizeof random);
    return random;
}

asio::awaitable<bool> Waiters::wait(store::Id machine, std::uint64_t after, std::uint64_t until_ns) {
    auto initiate = [this, machine, after, until_ns](auto handler) {
        using Handler = decltype(handler);
        struct Parked {
            Handler handler;
            asio::executor_work_guard<asio::associated_executor_t<Handler>> guard;
        };
        auto guard = asio::make_work_guard(asio::get_associated_executor(handler));
        // Shared, because std::function wants to be able to copy; called once.
        auto parked = std::make_shared<Parked>(Parked{std::move(handler), std::move(guard)});
        add(machine, {after, until_ns, [parked](bool outcome) {
                          asio::post(parked->guard.get_executor(), [parked, outcome] {
                              std::move(parked->handler)(outcome);
                              parked->guard.reset();
                          });
                      }});
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(std::move(initiate),
                                                                                       asio::use_awaitable);
}

void Waiters::add(const store::Id& machine, Waiter waiter) {
    const auto after = waiter.after;
    {
        const std::lock_guard lock(mutex_);
        if (closed_ || waiters_.size() >= kMaxWaiters) {
            waiter.resume(false);
            return;
        }
        earliest_ns_ = std::min(earliest_ns_, waiter.until_ns);
        waiters_.emplace(machine, std::move(waiter));
    }
    // Only now that a commit from here on finds the waiter: one before is in the store.
    if (const auto last = last_sequence_(machine); last > after) publish(machine, last);
}

template <typename Due>
void Waiters::release(bool outcome, Due due) {
    std::vector<Resume> ready;
    {
        const std::lock_guard lock(mutex_);
        due(ready);
    }
    for (auto& resume : ready) resume(outcome);
}

void Waiters::publish(const store::Id& machine, std::uint64_t sequence) {
    release(true, [&](std::vector<Resume>& ready) {
        auto [it, end] = waiters_.equal_range(machine);
        while (it != end) {
            if (it->second.after < sequence) {
                ready.push_back(std::move(it->second.resume));
                it = waiters_.erase(it);
            } else {
                ++it;
            }
        }
    });
}

void Waiters::expire(std::uint64_t now_ns) {
    release(false, [&](std::vector<Resume>& ready) {
        if (now_ns < earliest_ns_) return;
        earliest_ns_ = UINT64_MAX;
        for (auto it = waiters_.begin(); it != waiters_.end();) {
            if (it->second.until_ns <= now_ns) {
                ready.push_back(std::move(it->second.resume));
                it = waiters_.erase(it);
            } else {
                earliest_ns_ = std::min(earliest_ns_, it->second.until_ns);
                ++it;
            }
        }
    });
}

void Waiters::close() {
    release(false, [&](std::vector<Resume>& ready) {
        closed_ = true;
        for (auto& [machine, waiter] : waiters_) ready.push_back(std::move(waiter.resume));
        waiters_.clear();
    });
}

std::size_t Waiters::size() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
}

}  // namespace rouse::events
