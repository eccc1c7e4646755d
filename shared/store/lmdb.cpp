#include "shared/store/lmdb.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace rouse::store {
namespace {

tl::unexpected<Error> failed(const char* what, int code) {
    std::string message = std::string(what) + ": " + mdb_strerror(code);
    if (code == MDB_MAP_FULL) message += "; raise store.map_size_gib and restart rouse-mgmt";
    if (code == ENOSPC) message += "; free some disk space below the state directory";
    // LMDB's word for a write that was cut short, too.
    if (code == EIO)
        message +=
            "; the disk is full or fails: free some disk space below the state directory, and if there is "
            "enough, see what the kernel says of the disk (dmesg)";
    if (code == EROFS)
        message +=
            "; make the state directory's file system writable again, and see what the kernel says of the "
            "disk (dmesg)";
    return fail(std::move(message));
}

MDB_val to_val(Bytes bytes) noexcept {
    return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}
Bytes from_val(const MDB_val& value) noexcept {
    return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

// The descriptor that holds DIRECTORY's lock; BUSY is the error when somebody else has it.
Result<int> lock_directory(const std::string& directory, int operation, const char* busy) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno("cannot open the store in " + directory);
    if (::flock(descriptor, operation | LOCK_NB) == 0) return descriptor;
    const int error = errno;
    ::close(descriptor);
    if (error == EWOULDBLOCK) return fail("the store in " + directory + busy);
    return fail_errno("cannot lock the store in " + directory, error);
}

}  // namespace

Result<DirectoryLock> DirectoryLock::share(const std::string& directory) {
    const auto descriptor =
        lock_directory(directory, LOCK_SH, " is being restored; start again when that has ended");
    if (!descriptor) return tl::unexpected(descriptor.error());
    return DirectoryLock(*descriptor);
}

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
    const auto descriptor =
        lock_directory(directory, LOCK_EX, " is in use; stop rouse-mgmt and rouse-dataplane first");
    if (!descriptor) return tl::unexpected(descriptor.error());
    return DirectoryLock(*descriptor);
}

DirectoryLock::~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Environment> Environment::open(const std::string& directory, Options options) {
    if (options.access == Access::read_write) {
        std::error_code error;
        std::filesystem::create_directories(directory, error);
        if (error) return fail("cannot create the store's directory " + directory + ": " + error.message());
    }
    auto lock = DirectoryLock::share(directory);
    if (!lock) return tl::unexpected(lock.error());
    MDB_env* env = nullptr;
    if (const int code = mdb_env_create(&env); code != 0) return failed("cannot create the store", code);
    Environment result(env, std::move(*lock));
    mdb_env_set_maxdbs(env, options.max_tables);
    // NOTLS: a reader's slot belongs to its transaction, so transactions may move between threads of a pool.
    unsigned flags = MDB_NOTLS;
    if (options.access == Access::read_only) {
        flags |= MDB_RDONLY;
    } else {
        mdb_env_set_mapsize(env, options.map_bytes);
    }
    if (const int code = mdb_env_open(env, directory.c_str(), flags, 0640); code != 0)
        return failed(("cannot open the store in " + directory).c_str(), code);
    return result;
}

Result<Transaction> Environment::begin(Access access) {
    const unsigned flags = access == Access::read_only ? MDB_RDONLY : 0;
    MDB_txn* txn = nullptr;
    int code = mdb_txn_begin(raw(), nullptr, flags, &txn);
    if (code == MDB_MAP_RESIZED && mdb_env_set_mapsize(raw(), 0) == 0)
        code = mdb_txn_begin(raw(), nullptr, flags, &txn);
    if (code == MDB_READERS_FULL && clear_stale_readers()) code = mdb_txn_begin(raw(), nullptr, flags, &txn);
    if (code != 0) return failed("cannot begin a transaction", code);
    return Transaction(txn);
}

std::uint64_t Environment::last_transaction() const noexcept {
    MDB_envinfo info{};
    mdb_env_info(raw(), &info);
    return info.me_last_txnid;
}

Result<int> Environment::clear_stale_readers() {
    int dead = 0;
    if (const int code = mdb_reader_check(raw(), &dead); code != 0)
        return failed("cannot check readers", code);
    return dead;
}

Result<Table> Transaction::table(const char* name, bool create) {
    Table table;
    if (const int code = mdb_dbi_open(raw(), name, create ? MDB_CREATE : 0, &table.handle); code != 0)
        return failed((std::string("cannot open table ") + name).c_str(), code);
    return table;
}

Result<std::optional<Bytes>> Transaction::get(Table table, Bytes key) const {
    MDB_val k = to_val(key);
    MDB_val v{};
    const int code = mdb_get(raw(), table.handle, &k, &v);
    if (code == MDB_NOTFOUND) return std::optional<Bytes>{};
    if (code != 0) return failed("cannot read from the store", code);
    return std::optional<Bytes>{from_val(v)};
}

Result<void> Transaction::put(Table table, Bytes key, Bytes value) {
    MDB_val k = to_val(key);
    MDB_val v = to_val(value);
    ++writes_;
    if (const int code = mdb_put(raw(), table.handle, &k, &v, 0); code != 0)
        return failed("cannot write to the store", code);
    return {};
}

Result<bool> Transaction::remove(Table table, Bytes key) {
    MDB_val k = to_val(key);
    const int code = mdb_del(raw(), table.handle, &k, nullptr);
    if (code == MDB_NOTFOUND) return false;
    ++writes_;
    if (code != 0) return failed("cannot remove from the store", code);
    return true;
}

Result<std::size_t> Transaction::count(Table table) const {
    MDB_stat stat{};
    if (const int code = mdb_stat(raw(), table.handle, &stat); code != 0)
        return failed("cannot examine the store", code);
    return stat.ms_entries;
}

Result<std::uint64_t> Transaction::bytes(Table table) const {
    MDB_stat stat{};
    if (const int code = mdb_stat(raw(), table.handle, &stat); code != 0)
        return failed("cannot examine the store", code);
    return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
           std::uint64_t{stat.ms_psize};
}

Result<void> Transaction::commit() {
    const int code = mdb_txn_commit(handle_.release());
    if (code != 0) return failed("cannot commit to the store", code);
    return {};
}

void Transaction::reset() noexcept {
    mdb_txn_reset(raw());
}

bool Transaction::renew() noexcept {
    int code = mdb_txn_renew(raw());
    if (code == MDB_MAP_RESIZED && mdb_env_set_mapsize(mdb_txn_env(raw()), 0) == 0)
        code = mdb_txn_renew(raw());
    return code == 0;
}

std::optional<Bytes> peek(const Transaction& txn, Table table, Bytes key) noexcept {
    MDB_val k = to_val(key);
    MDB_val v{};
    if (mdb_get(txn.raw(), table.handle, &k, &v) != 0) return std::nullopt;
    return from_val(v);
}

Result<Cursor> Cursor::open(const Transaction& txn, Table table) {
    MDB_cursor* cursor = nullptr;
    if (const int code = mdb_cursor_open(txn.raw(), table.handle, &cursor); code != 0)
        return failed("cannot scan the store", code);
    return Cursor(cursor);
}

bool Cursor::renew(const Transaction& txn) noexcept {
    return mdb_cursor_renew(txn.raw(), handle_.get()) == 0;
}

std::optional<Cursor::Entry> Cursor::first() noexcept {
    return move(MDB_FIRST);
}

std::optional<Cursor::Entry> Cursor::last() noexcept {
    return move(MDB_LAST);
}

std::optional<Cursor::Entry> Cursor::next() noexcept {
    return move(MDB_NEXT);
}

std::optional<Cursor::Entry> Cursor::move(MDB_cursor_op operation) noexcept {
    MDB_val key{};
    MDB_val value{};
    if (mdb_cursor_get(handle_.get(), &key, &value, operation) != 0) return std::nullopt;
    return Entry{from_val(key), from_val(value)};
}

Result<void> scan(const Transaction& txn, Table table, Bytes from,
                  const std::function<bool(Bytes key, Bytes value)>& visit) {
    MDB_cursor* cursor = nullptr;
    if (const int code = mdb_cursor_open(txn.raw(), table.handle, &cursor); code != 0)
        return failed("cannot scan the store", code);
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> guard(cursor, mdb_cursor_close);
    MDB_val key = to_val(from);
    MDB_val value{};
    int code = mdb_cursor_get(cursor, &key, &value, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (code == 0 && visit(from_val(key), from_val(value)))
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    if (code != 0 && code != MDB_NOTFOUND) return failed("cannot scan the store", code);
    return {};
}

}  // namespace rouse::store
