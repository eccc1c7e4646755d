#pragma once
// The store as the management plane opens it: the tables of both processes and its own, at this build's
// schema version. Reading is a Snapshot: any thread, no waiting for the writer. Writing goes through Writer.

#include "mgmt/store/author.hpp"
#include "mgmt/store/change.hpp"
#include "shared/clock.hpp"
#include "shared/store/lmdb.hpp"
#include "shared/store/records.hpp"
#include "shared/store/tables.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rouse::store {

// Tables that only the management plane reads.
struct OwnTables {
    std::array<Table, kKinds>
        documents;  // indexed by Kind (none for timelines); key: Id, value: revision (be64), JSON text
    Table indices;  // key: kind, index number, indexed value[, Id]; value: Id (see documents.cpp)
    Table retired;  // contents no longer named; key: when to forget them, then which; see mgmt/boot
    // What is derived from `leases`; see mgmt/boot/lease_book.hpp
    Table lease_times;   // key: LeaseTimeKey; no value
    Table lease_former;  // key: FormerKey; value: Ipv4Address
    Table lease_counts;  // key: NetworkId (be32); value: LeaseCounts
    Table following;     // of a worker: how far it follows its centre; see mgmt/workers/replica.hpp
                         // kIdentityKey: the store's own identity; see mgmt/workers/feed.hpp
    Table confirmed;     // key: a worker's id; value: the sequence that it confirmed (be64)
    // The feed of changes; see changes.cpp
    Table changes;           // key: sequence (be64); value: ChangeRecord
    Table timeline_changes;  // key: a machine's id; value: sequence (be64) of its timeline's in `changes`
    Table deletions;         // key: sequence (be64) of a deletion in `changes`; no value
};

// In `following`. A store that was restored gets another one: its sequences were counted otherwise before.
inline constexpr std::string_view kIdentityKey = "identity";

class Store;

// One moment of the store. Never kept across a suspension point: an old snapshot keeps old pages alive.
class View {
  public:
    [[nodiscard]] const Transaction& txn() const noexcept { return *txn_; }
    [[nodiscard]] const Tables& tables() const noexcept;
    [[nodiscard]] const OwnTables& own() const noexcept;

    // A record of the dataplane's, copied out; nothing when it is missing or not valid.
    template <Record R>
    [[nodiscard]] Result<std::optional<R>> record(Table table, Bytes key) const {
        const auto value = txn_->get(table, key);
        if (!value) return tl::unexpected(value.error());
        return *value ? decode<R>(**value) : std::nullopt;
    }

  protected:
    View(Transaction& txn, const Store& store) noexcept : txn_(&txn), store_(&store) {}
    Transaction* txn_;
    const Store* store_;
};

class Snapshot : public View {
  public:
    Snapshot(std::unique_ptr<Transaction> txn, const Store& store) noexcept
        : View(*txn, store), owned_(std::move(txn)) {}

  private:
    std::unique_ptr<Transaction> owned_;
};

// What an operation of the Writer works on: a View that sees the operation's own writes and those before it.
class Batch : public View {
  public:
    Batch(Transaction& txn, const Store& store, std::uint64_t now_ns) noexcept
        : View(txn, store), now_ns_(now_ns) {}

    [[nodiscard]] Transaction& txn() noexcept { return *txn_; }
    // Whose changes these are; null: the appliance's own. See Authored.
    [[nodiscard]] const Author* author() const noexcept { return author_; }
    // CLOCK_REALTIME, the same for the whole batch.
    [[nodiscard]] std::uint64_t now_ns() const noexcept { return now_ns_; }
    [[nodiscard]] std::uint64_t now_unix() const noexcept { return now_ns_ / kNanosPerSecond; }

    Result<void> put(Table table, Bytes key, Bytes value) {
        if (auto noted = note_change(table); !noted) return noted;
        return txn_->put(table, key, value);
    }
    // Refuses a record that no reader would accept.
    template <Record R>
    Result<void> put_record(Table table, Bytes key, const R& record) {
        if (!record.is_valid()) return fail("refused to store a record that is not valid");
        return put(table, key, bytes_of(record));
    }
    // Writes over a lease that stays with its machine: readers who follow kHostsGenerationKey need not look.
    // Not for host records, which workers remember for as long as that number stays.
    template <Record R>
    Result<void> refresh_record(Table table, Bytes key, const R& record) {
        if (!record.is_valid()) return fail("refused to store a record that is not valid");
        return txn_->put(table, key, bytes_of(record));
    }
    Result<bool> remove(Table table, Bytes key) {
        if (auto noted = note_change(table); !noted) return tl::unexpected(noted.error());
        return txn_->remove(table, key);
    }
    // The next number of a sequence that never repeats: 1, 2, …
    Result<std::uint64_t> next_number(std::string_view sequence);

    // What has happened to documents in this transaction so far; append_change() adds to it.
    [[nodiscard]] std::span<const Change> changes() const noexcept { return changes_; }
    void add_change(const Change& change) { changes_.push_back(change); }

  private:
    // Who follows hosts, leases and networks is told by a number that changes with them, and with nothing
    // else.
    Result<void> note_change(Table table);
    friend class Authored;

    std::uint64_t now_ns_;
    bool hosts_changed_ = false;
    std::vector<Change> changes_;
    const Author* author_ = nullptr;
};

// As long as it lives, what is done to the documents of BATCH is on the audit log as AUTHOR's.
class Authored {
  public:
    Authored(Batch& batch, const Author& author) noexcept
        : batch_(&batch), before_(std::exchange(batch.author_, &author)) {}
    Authored(const Authored&) = delete;
    Authored& operator=(const Authored&) = delete;
    ~Authored() { batch_->author_ = before_; }

  private:
    Batch* batch_;
    const Author* before_;
};

class Store {
  public:
    // Creates what is missing, and migrates what an older build wrote (see migrate.hpp). A store written by a
    // newer build is refused.
    [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::string& directory,
                                                             std::size_t map_bytes);
    // For reading alone, beside whoever writes. A store that open() would change is refused.
    [[nodiscard]] static Result<std::unique_ptr<Store>> open_read_only(const std::string& directory);

    [[nodiscard]] Result<Snapshot> snapshot() const;
    [[nodiscard]] const Tables& tables() const noexcept { return tables_; }
    [[nodiscard]] const OwnTables& own() const noexcept { return own_; }
    [[nodiscard]] Environment& environment() const noexcept { return environment_; }
    // The schema version that open() found and migrated; 0: it was this build's.
    [[nodiscard]] std::uint32_t migrated_from() const noexcept { return migrated_from_; }

  private:
    explicit Store(Environment environment) noexcept : environment_(std::move(environment)) {}
    Result<void> prepare(const std::string& directory);
    Result<void> prepare_reading(const std::string& directory);
    Result<void> open_tables(Transaction& txn, bool create);

    mutable Environment environment_;  // LMDB's handle is its own synchronisation
    Tables tables_;
    OwnTables own_;
    std::uint32_t migrated_from_ = 0;
};

inline const Tables& View::tables() const noexcept {
    return store_->tables();
}
inline const OwnTables& View::own() const noexcept {
    return store_->own();
}

}  // namespace rouse::store
