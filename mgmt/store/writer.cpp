#include "mgmt/store/writer.hpp"

#include "mgmt/store/changes.hpp"
#include "shared/clock.hpp"

#include <exception>
#include <iterator>

namespace rouse::store {
namespace {

using Operations = std::deque<std::unique_ptr<detail::Operation>>;

// A batch takes no new operation after this, so that nobody waits long for a neighbour's commit.
constexpr std::uint64_t kMaxBatchNs = 4 * kNanosPerMilli;
constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

enum class Ran {
    succeeded,
    refused,  // failed before it wrote anything: the batch is as it was
    spoiled,  // failed after it wrote: the batch must be run again without it
};

void move_all(Operations& from, Operations& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
    from.clear();
}

Ran run_one(detail::Operation& operation, Batch& batch) {
    const std::uint64_t writes = batch.txn().writes();
    bool succeeded = false;
    try {
        succeeded = operation.run(batch);
    } catch (const std::exception& error) {
        operation.fail(Error{std::string("the operation could not be carried out: ") + error.what()});
    }
    if (succeeded) return Ran::succeeded;
    return batch.txn().writes() == writes ? Ran::refused : Ran::spoiled;
}

std::uint64_t stored_last_change(const Store& store) {
    const auto snapshot = store.snapshot();
    if (!snapshot) return 0;
    return last_change(*snapshot).value_or(0);
}

}  // namespace

Writer::Writer(Store& store)
    : store_(&store), changes_(stored_last_change(store)), thread_([this] { loop(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void Writer::enqueue(std::unique_ptr<detail::Operation> operation) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(operation));
    }
    arrived_.notify_one();
}

void Writer::loop() {
    Operations waiting;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            waiting.swap(queue_);
        }
        while (!waiting.empty()) commit_some(waiting);
    }
}

// Runs operations off SOURCE's front in one transaction and commits it. DONE are those in the transaction,
// FAILED those that are not. False: an operation failed after it wrote, nothing was committed, and DONE are
// to be run again. An error: neither was anything committed, nor will it help to try again now.
Result<bool> Writer::attempt(Operations& source, std::uint64_t budget_ns, Operations& done,
                             Operations& failed) {
    store_->environment().clear_stale_readers();
    auto txn = store_->environment().begin(Access::read_write);
    if (!txn) {
        move_all(source, done);
        return tl::unexpected(txn.error());
    }
    Batch batch(*txn, *store_, realtime_ns());
    const std::uint64_t began = monotonic_ns();
    do {
        auto operation = std::move(source.front());
        source.pop_front();
        const Ran ran = run_one(*operation, batch);
        (ran == Ran::succeeded ? done : failed).push_back(std::move(operation));
        if (ran == Ran::spoiled) return false;
    } while (!source.empty() && monotonic_ns() - began < budget_ns);
    if (done.empty()) return true;

    const std::uint64_t commit_began = monotonic_ns();
    const auto committed = txn->commit();
    statistics_.commit_ns += monotonic_ns() - commit_began;
    ++statistics_.commits;
    if (!committed) return tl::unexpected(committed.error());
    changes_.publish(batch.changes());
    return true;
}

// One commit: takes operations off WAITING's front, at least one, and delivers their results.
void Writer::commit_some(Operations& waiting) {
    Operations done;
    Operations failed;
    Result<bool> committed = attempt(waiting, kMaxBatchNs, done, failed);
    // Only what was in the spoiled transaction is run again, the rest comes in the next one: so however many
    // operations fail, a good one seldom runs more than twice.
    while (committed && !*committed && !done.empty()) {
        Operations again = std::exchange(done, {});
        committed = attempt(again, kNoLimit, done, failed);
        move_all(again, done);
    }
    if (!committed)
        for (const auto& operation : done) operation->fail(committed.error());
    statistics_.failures += failed.size() + (committed ? 0 : done.size());
    statistics_.operations += committed ? done.size() : 0;
    for (const auto& operation : failed) operation->finish();
    for (const auto& operation : done) operation->finish();
}

}  // namespace rouse::store
