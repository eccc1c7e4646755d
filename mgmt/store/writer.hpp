#pragma once
// The one thread that writes the store. Callers hand it operations; those that wait while a commit is under
// way share the next one (group commit), so a lone operation costs one fsync and a thousand cost few.
//
// An operation is a callable `tl::expected<T, E>(Batch&)`, E made from rouse::Error (Result or Outcome).
//  - Its result is delivered only after the commit that holds it is durable.
//  - When it fails, nothing of it stays, and nothing of anybody else's is lost.
//  - It may be run more than once before that: it must change nothing but the batch, and not consume what it
//    captured.
//  - For submit(): one that owns something (a string captured by value) is a named variable, not a temporary
//    within the co_await: GCC 12 destroys such temporaries twice. Capturing by reference is safe, since the
//    caller waits.
//  - It runs on the writer's thread and everybody waits for it: no I/O, no hashing, no rendering of
//  thousands.

#include "mgmt/store/change_hub.hpp"
#include "mgmt/store/store.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rouse::store {

namespace detail {

class Operation {
  public:
    virtual ~Operation() = default;
    // True when it succeeded. Runs again if the batch is run again.
    virtual bool run(Batch& batch) = 0;
    // Replaces the result by a failure of the store.
    virtual void fail(const Error& error) = 0;
    // Hands the result to whoever waits for it; called once.
    virtual void finish() = 0;
};

template <typename F, typename Done>
class OperationOf final : public Operation {
  public:
    using R = std::invoke_result_t<F&, Batch&>;
    OperationOf(F operation, Done done) : operation_(std::move(operation)), done_(std::move(done)) {}

    bool run(Batch& batch) override {
        result_.emplace(operation_(batch));
        return result_->has_value();
    }
    void fail(const Error& error) override {
        result_.emplace(tl::unexpected<typename R::error_type>(typename R::error_type(error)));
    }
    void finish() override { done_(std::move(*result_)); }

  private:
    F operation_;
    Done done_;
    std::optional<R> result_;
};

}  // namespace detail

class Writer {
  public:
    // Monotonic; read by /metrics at any time.
    struct Statistics {
        std::atomic<std::uint64_t> operations{0};  // committed
        std::atomic<std::uint64_t> failures{0};    // refused or failed
        std::atomic<std::uint64_t> commits{0};
        std::atomic<std::uint64_t> commit_ns{0};  // time inside commits
    };

    explicit Writer(Store& store);
    // Finishes what was submitted, then stops. Nothing may be submitted any more.
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Waits on this thread: for start-up, tests and threads of their own; never on an io thread.
    template <typename F>
    std::invoke_result_t<F&, Batch&> run(F operation) {
        using R = std::invoke_result_t<F&, Batch&>;
        std::promise<R> promise;
        auto future = promise.get_future();
        enqueue(make(std::move(operation), [&promise](R result) { promise.set_value(std::move(result)); }));
        return future.get();
    }

    // Resumes on the caller's executor.
    template <typename F>
    boost::asio::awaitable<std::invoke_result_t<F&, Batch&>> submit(F operation) {
        using R = std::invoke_result_t<F&, Batch&>;
        auto initiate = [this](auto handler, F op) {
            // The guard keeps the caller's io_context running until its answer is there.
            auto guard = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
            enqueue(make(
                std::move(op), [handler = std::move(handler), guard = std::move(guard)](R result) mutable {
                    boost::asio::post(guard.get_executor(),
                                      [handler = std::move(handler), result = std::move(result)]() mutable {
                                          std::move(handler)(std::move(result));
                                      });
                }));
        };
        co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(R)>(
            std::move(initiate), boost::asio::use_awaitable, std::move(operation));
    }

    // Nobody waits for it; DONE is told the result on the writer's thread.
    template <typename F, typename Done>
    void post(F operation, Done done) {
        enqueue(make(std::move(operation), std::move(done)));
    }

    [[nodiscard]] Store& store() noexcept { return *store_; }
    // Told of every commit's changes.
    [[nodiscard]] ChangeHub& changes() noexcept { return changes_; }
    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }

  private:
    using Operations = std::deque<std::unique_ptr<detail::Operation>>;

    template <typename F, typename Done>
    static std::unique_ptr<detail::Operation> make(F operation, Done done) {
        return std::make_unique<detail::OperationOf<F, Done>>(std::move(operation), std::move(done));
    }
    void enqueue(std::unique_ptr<detail::Operation> operation);
    void loop();
    void commit_some(Operations& waiting);
    Result<bool> attempt(Operations& source, std::uint64_t budget_ns, Operations& done, Operations& failed);

    Store* store_;
    ChangeHub changes_;
    Statistics statistics_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    Operations queue_;
    bool stopping_ = false;
    std::thread thread_;  // last: starts when all else is there
};

}  // namespace rouse::store
