#include "mgmt/store/change_hub.hpp"

#include "mgmt/await.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace rouse::store {

namespace asio = boost::asio;

struct ChangeHub::State {
    using Timer = std::shared_ptr<asio::steady_timer>;

    // Cancels the timers of those who wait for a change up to LAST; under the lock.
    void wake(std::uint64_t up_to) {
        const auto end = waiting.lower_bound(up_to);
        for (auto it = waiting.begin(); it != end; ++it)
            // On the waiter's own executor, where it cannot meet the wait's beginning.
            asio::post(it->second->get_executor(), [timer = it->second] { timer->cancel(); });
        waiting.erase(waiting.begin(), end);
    }

    mutable std::mutex mutex;
    std::mutex calling;  // held while listeners are called, and to change them
    std::map<std::uint64_t, Listener> listeners;
    std::uint64_t next_key = 1;
    std::multimap<std::uint64_t, Timer> waiting;  // by the sequence that they have seen
    std::uint64_t last = 0;
    bool closed = false;
};

ChangeHub::Subscription& ChangeHub::Subscription::operator=(Subscription&& other) noexcept {
    if (this != &other) {
        end();
        state_ = std::move(other.state_);
        key_ = other.key_;
    }
    return *this;
}

void ChangeHub::Subscription::end() noexcept {
    if (!state_) return;
    const std::lock_guard lock(state_->calling);
    state_->listeners.erase(key_);
    state_.reset();
}

ChangeHub::ChangeHub(std::uint64_t last) : state_(std::make_shared<State>()) {
    state_->last = last;
}

ChangeHub::~ChangeHub() {
    close();
}

ChangeHub::Subscription ChangeHub::subscribe(Listener listener) {
    const std::lock_guard lock(state_->calling);
    const std::uint64_t key = state_->next_key++;
    state_->listeners.emplace(key, std::move(listener));
    return {state_, key};
}

asio::awaitable<bool> ChangeHub::wait(std::uint64_t sequence, std::chrono::milliseconds longest) {
    const auto state = state_;  // outlives the hub, as the wait may
    auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, longest);
    {
        const std::lock_guard lock(state->mutex);
        if (state->last > sequence) co_return true;
        if (state->closed) co_return false;
        state->waiting.emplace(sequence, timer);
    }
    co_await timer->async_wait(kAwait);
    const std::lock_guard lock(state->mutex);
    // Nobody woke it: it was the time, or its connection went.
    const auto [first, end] = state->waiting.equal_range(sequence);
    const auto mine =
        std::find_if(first, end, [&timer](const auto& waiter) { return waiter.second == timer; });
    if (mine != end) state->waiting.erase(mine);
    co_return state->last > sequence;
}

std::uint64_t ChangeHub::last() const {
    const std::lock_guard lock(state_->mutex);
    return state_->last;
}

void ChangeHub::close() {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->wake(UINT64_MAX);
}

void ChangeHub::publish(std::span<const Change> changes) {
    if (changes.empty()) return;
    const auto newest = std::find_if(changes.rbegin(), changes.rend(),
                                     [](const Change& change) { return change.kind != Kind::timeline; });
    if (newest != changes.rend()) {
        const std::lock_guard lock(state_->mutex);
        state_->last = newest->sequence;
        state_->wake(state_->last);
    }
    const std::lock_guard lock(state_->calling);
    for (const auto& [key, listener] : state_->listeners) listener(changes);
}

}  // namespace rouse::store
