#pragma once
// LMDB with ownership: environments, transactions and tables close themselves, errors are values.
// Rules that keep it safe (lmdb.h): one Environment per store and process; a Transaction stays on the thread
// that uses it; a value's bytes are valid until its transaction ends; never across fork.

#include "shared/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <lmdb.h>

namespace rouse::store {

using Bytes = std::span<const std::byte>;

template <typename T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] Bytes bytes_of(const T& value) noexcept {
    return std::as_bytes(std::span(&value, 1));
}
[[nodiscard]] inline Bytes bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span(text));
}
[[nodiscard]] inline std::string_view text_of(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Table {
    MDB_dbi handle = 0;
};

enum class Access { read_only, read_write };

class Transaction;

// Who has a store open holds its directory, shared with others; who replaces the store holds it alone.
// Another lock than LMDB's own: that one makes who comes later wait, with the former data file already open.
class DirectoryLock {
  public:
    // Errors: the directory is not there, or another process holds it in a way that rules this one out.
    [[nodiscard]] static Result<DirectoryLock> share(const std::string& directory);
    [[nodiscard]] static Result<DirectoryLock> take(const std::string& directory);
    DirectoryLock(DirectoryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    DirectoryLock& operator=(DirectoryLock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~DirectoryLock();

  private:
    explicit DirectoryLock(int descriptor) noexcept : descriptor_(descriptor) {}
    int descriptor_;
};

class Environment {
  public:
    struct Options {
        Access access = Access::read_only;
        std::size_t map_bytes = std::size_t{16} << 30;  // sparse: address space, not disk
        unsigned max_tables = 64;
    };
    // DIRECTORY holds data.mdb and lock.mdb; read_write creates it.
    [[nodiscard]] static Result<Environment> open(const std::string& directory, Options options);

    // Starts a transaction; the map is resized first if another process grew it.
    [[nodiscard]] Result<Transaction> begin(Access access);
    // Number of the last committed transaction: changes when, and only when, something was committed. ~2 ns.
    [[nodiscard]] std::uint64_t last_transaction() const noexcept;
    // Frees reader slots of processes that died; a slot left behind would pin old pages and grow the file.
    Result<int> clear_stale_readers();
    [[nodiscard]] MDB_env* raw() const noexcept { return handle_.get(); }

  private:
    struct Close {
        void operator()(MDB_env* env) const noexcept { mdb_env_close(env); }
    };
    Environment(MDB_env* env, DirectoryLock lock) noexcept : lock_(std::move(lock)), handle_(env) {}
    DirectoryLock lock_;  // outlives the handle
    std::unique_ptr<MDB_env, Close> handle_;
};

// Aborted on destruction unless committed.
class Transaction {
  public:
    // Opens a table; create needs a read-write transaction that is then committed.
    [[nodiscard]] Result<Table> table(const char* name, bool create = false);

    [[nodiscard]] Result<std::optional<Bytes>> get(Table table, Bytes key) const;
    Result<void> put(Table table, Bytes key, Bytes value);
    // True if it was there.
    Result<bool> remove(Table table, Bytes key);
    [[nodiscard]] Result<std::size_t> count(Table table) const;
    // Of the pages that it takes.
    [[nodiscard]] Result<std::uint64_t> bytes(Table table) const;
    Result<void> commit();

    // Read transactions only: give the snapshot back and take the newest one, keeping the reader's slot. ~10
    // ns.
    void reset() noexcept;
    [[nodiscard]] bool renew() noexcept;

    // Number of puts and removes so far.
    [[nodiscard]] std::uint64_t writes() const noexcept { return writes_; }
    [[nodiscard]] MDB_txn* raw() const noexcept { return handle_.get(); }

  private:
    friend class Environment;
    struct Abort {
        void operator()(MDB_txn* txn) const noexcept { mdb_txn_abort(txn); }
    };
    explicit Transaction(MDB_txn* txn) noexcept : handle_(txn) {}
    std::unique_ptr<MDB_txn, Abort> handle_;
    std::uint64_t writes_ = 0;
};

// The packet path's get: no error text, so no allocation. Absent, or unreadable, is nothing.
[[nodiscard]] std::optional<Bytes> peek(const Transaction& txn, Table table, Bytes key) noexcept;

// A place in a table, for readers that walk it again and again: made once, then renewed with its transaction,
// which allocates nothing.
class Cursor {
  public:
    [[nodiscard]] static Result<Cursor> open(const Transaction& txn, Table table);
    // After Transaction::renew().
    [[nodiscard]] bool renew(const Transaction& txn) noexcept;
    struct Entry {
        Bytes key;
        Bytes value;
    };
    [[nodiscard]] std::optional<Entry> first() noexcept;
    [[nodiscard]] std::optional<Entry> last() noexcept;
    [[nodiscard]] std::optional<Entry> next() noexcept;

  private:
    struct Close {
        void operator()(MDB_cursor* cursor) const noexcept { mdb_cursor_close(cursor); }
    };
    explicit Cursor(MDB_cursor* cursor) noexcept : handle_(cursor) {}
    std::optional<Entry> move(MDB_cursor_op operation) noexcept;
    std::unique_ptr<MDB_cursor, Close> handle_;
};

// Walks a table's entries in key order, from the first key at or after FROM; stops when VISIT returns false.
Result<void> scan(const Transaction& txn, Table table, Bytes from,
                  const std::function<bool(Bytes key, Bytes value)>& visit);

}  // namespace rouse::store
