#include "mgmt/live/session.hpp"

#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace rouse::live {
namespace {

using nlohmann::json;

constexpr std::size_t kAtOnce = 512;  // messages in one write
constexpr std::size_t kMaxReplies = 64;
constexpr std::chrono::seconds kKeepAlive{15};

std::int64_t unix_now() {
    return static_cast<std::int64_t>(realtime_ns() / kNanosPerSecond);
}

}  // namespace

void Waker::wake() {
    if (woken_.exchange(true)) return;
    asio::post(timer_.get_executor(), [self = shared_from_this()] { self->timer_.cancel(); });
}

asio::awaitable<void> Waker::wait(std::chrono::steady_clock::duration longest) {
    timer_.expires_after(longest);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

std::optional<Ending> Session::ending() const {
    if (failed_) return failed_;
    if (hub_->is_closed()) return Ending{kGoingAway, "the appliance stops; connect again"};
    if (expires_ && unix_now() >= *expires_)
        return Ending{kTokenExpired, "the access token has expired; connect again with a new one"};
    return std::nullopt;
}

std::chrono::steady_clock::duration Session::patience() const {
    std::chrono::seconds longest = kKeepAlive;
    if (expires_)
        longest = std::clamp(std::chrono::seconds(*expires_ - unix_now()), std::chrono::seconds(1), longest);
    return longest;
}

asio::awaitable<bool> Session::say_hello(Sink& sink) {
    json hello{{"sequence", follower_->position()}, {"time", store::to_timestamp(realtime_ns())}};
    if (must_reread_) {
        hello["reread"] = true;
        hello["reason"] =
            "what happened since then is not known any more: read every object that you hold anew";
    }
    co_return co_await sink.say("hello", hello.dump());
}

asio::awaitable<bool> Session::tell(Sink& sink, std::span<const MessagePtr> messages) {
    std::vector<MessagePtr> chosen;
    chosen.reserve(messages.size());
    std::uint64_t merged = 0;
    const std::uint64_t now = monotonic_ns();
    for (const MessagePtr& message : messages) {
        if (!filter_.lets_through(*message)) continue;
        if (Hub::is_stale(*message, now))
            ++merged;
        else
            chosen.push_back(message);
    }
    hub_->statistics().sent += chosen.size();
    hub_->statistics().merged += merged;
    if (catch_up_) catch_up_->told += chosen.size();
    if (chosen.empty() && merged == 0) co_return true;
    co_return co_await sink.send(chosen, merged);
}

// Tells the next few changes. False: the client has gone.
asio::awaitable<bool> Session::advance(Sink& sink) {
    idle_ = false;
    auto batch = follower_->next(kAtOnce);
    if (batch) {
        if (catch_up_) {
            const CatchUp done = *catch_up_;
            catch_up_.reset();
            const json caught_up{{"from", done.from},
                                 {"to", follower_->position()},
                                 {"changes", follower_->position() - done.from},
                                 {"told", done.told}};
            if (!co_await sink.say("caught_up", caught_up.dump())) co_return false;
        }
        idle_ = !batch->more && batch->messages.empty();
        co_return co_await tell(sink, batch->messages);
    }
    if (!catch_up_) {
        catch_up_.emplace(CatchUp{follower_->position(), 0});
        ++hub_->statistics().catch_ups;
    }
    const auto missed = follower_->catch_up(kAtOnce);
    if (!missed) {
        failed_ = Ending{kInternalError, "the store cannot be read; the log says why"};
        co_return true;
    }
    co_return co_await tell(sink, missed->messages);
}

asio::awaitable<bool> Session::say_replies(Sink& sink) {
    while (!replies_.empty()) {
        const auto [name, text] = std::move(replies_.front());
        replies_.pop_front();
        if (!co_await sink.say(name, text)) co_return false;
    }
    co_return true;
}

asio::awaitable<void> Session::run(Sink& sink) {
    if (!co_await say_hello(sink)) co_return;
    for (;;) {
        waker_->arm();
        if (const auto why = ending()) {
            co_await sink.end(*why);
            co_return;
        }
        if (!co_await say_replies(sink)) co_return;
        if (!co_await advance(sink)) co_return;
        if (!idle_ || !replies_.empty()) continue;
        const auto began = std::chrono::steady_clock::now();
        co_await waker_->wait(patience());
        if (std::chrono::steady_clock::now() - began >= kKeepAlive && !co_await sink.keep_alive()) co_return;
    }
}

bool Session::hear(std::string_view text) {
    if (replies_.size() >= kMaxReplies) return false;
    const json said = json::parse(text, nullptr, false);
    http::OrProblem<void> done;
    std::string name;
    if (said.is_object() && said.size() == 1) name = said.begin().key();
    if (name == "subscribe")
        done = filter_.add(said.front());
    else if (name == "unsubscribe")
        done = filter_.remove(said.front());
    else
        done = http::problem(http::Status::bad_request,
                             "say {\"subscribe\": {…}} or {\"unsubscribe\": {…}}, as one JSON object");
    if (done)
        replies_.emplace_back("subscribed", json{{"subscriptions", filter_.size()}}.dump());
    else
        replies_.emplace_back("error", http::to_json(done.error()).dump());
    waker_->wake();
    return true;
}

}  // namespace rouse::live
