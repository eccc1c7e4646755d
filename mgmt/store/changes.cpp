#include "mgmt/store/changes.hpp"

#include "shared/endian.hpp"

#include <algorithm>
#include <cstring>

namespace rouse::store {
namespace {

constexpr std::string_view kForgottenKey = "changes_forgotten";  // in `meta`; value: be64
// Forgotten at once, so that the note of how far is seldom written.
constexpr std::size_t kForgetAtOnce = 256;

// Value of table `changes`, whose key is the sequence (be64).
struct ChangeRecord {
    Kind kind{};
    Change::What what{};
    Id id;
    be64 time_ns;
    Id former_cluster;
};
static_assert(sizeof(ChangeRecord) == 42 && alignof(ChangeRecord) == 1);

struct NewestKey {
    Kind kind{};
    Id id;
};
static_assert(sizeof(NewestKey) == 17);

template <typename T>
std::optional<T> read_as(Bytes bytes) {
    T value;
    if (bytes.size() != sizeof value) return std::nullopt;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::optional<Change> to_change(Bytes key, Bytes value) {
    const auto sequence = read_as<be64>(key);
    const auto record = read_as<ChangeRecord>(value);
    if (!sequence || !record) return std::nullopt;
    return Change{sequence->host(), record->time_ns.host(), record->kind, record->what,
                  record->id,       record->former_cluster};
}

Result<std::uint64_t> number_in(const View& view, Table table, Bytes key) {
    const auto stored = view.txn().get(table, key);
    if (!stored) return tl::unexpected(stored.error());
    const auto number = *stored ? read_as<be64>(**stored) : std::nullopt;
    return number ? number->host() : 0;
}

Result<void> drop(Batch& batch, Table table, Bytes key) {
    const auto removed = batch.remove(table, key);
    if (!removed) return tl::unexpected(removed.error());
    return {};
}

// Takes the newest change of something out of the feed.
Result<void> drop_newest(Batch& batch, const NewestKey& key) {
    const auto number = number_in(batch, batch.own().newest_changes, bytes_of(key));
    if (!number) return tl::unexpected(number.error());
    return drop(batch, batch.own().changes, bytes_of(be64(*number)));
}

// The number after which the next change comes. The newest change is never one that is forgotten, unless
// the feed was begun anew.
Result<std::uint64_t> last_number(const Batch& batch) {
    if (!batch.changes().empty()) return batch.changes().back().sequence;
    const auto last = last_change(batch);
    if (!last) return last;
    const auto forgotten = oldest_resumable(batch);
    if (!forgotten) return forgotten;
    return std::max(*last, *forgotten);
}

// Forgets the oldest deletions once they are too many.
Result<void> forget_deletions(Batch& batch) {
    const Table deletions = batch.own().deletions;
    const auto count = batch.txn().count(deletions);
    if (!count) return tl::unexpected(count.error());
    if (*count < kMaxTombstones + kForgetAtOnce) return {};
    std::vector<be64> oldest;
    const auto scanned = scan(batch.txn(), deletions, {}, [&oldest](Bytes key, Bytes) {
        if (const auto sequence = read_as<be64>(key)) oldest.push_back(*sequence);
        return oldest.size() < kForgetAtOnce;
    });
    if (!scanned) return scanned;
    for (const be64& sequence : oldest)
        for (const Table table : {deletions, batch.own().changes})
            if (auto dropped = drop(batch, table, bytes_of(sequence)); !dropped) return dropped;
    return batch.put(batch.tables().meta, bytes_of(kForgottenKey), bytes_of(oldest.back()));
}

}  // namespace

Result<void> changes_after(const View& view, std::uint64_t sequence, std::size_t limit,
                           const VisitChange& visit) {
    if (sequence == UINT64_MAX || limit == 0) return {};
    std::size_t seen = 0;
    return scan(view.txn(), view.own().changes, bytes_of(be64(sequence + 1)), [&](Bytes key, Bytes value) {
        const auto change = to_change(key, value);
        return (!change || visit(*change)) && ++seen < limit;
    });
}

Result<std::uint64_t> last_change(const View& view) {
    auto cursor = Cursor::open(view.txn(), view.own().changes);
    if (!cursor) return tl::unexpected(cursor.error());
    const auto entry = cursor->last();
    const auto sequence = entry ? read_as<be64>(entry->key) : std::nullopt;
    return sequence ? sequence->host() : 0;
}

Result<std::uint64_t> oldest_resumable(const View& view) {
    return number_in(view, view.tables().meta, bytes_of(kForgottenKey));
}

Result<void> begin_changes_anew(Batch& batch) {
    // Seconds leave room for a million changes each, and stay exact as numbers in JSON.
    const be64 start(batch.now_unix() << 20);
    return batch.put(batch.tables().meta, bytes_of(kForgottenKey), bytes_of(start));
}

Result<void> append_change(Batch& batch, Change change) {
    const OwnTables& own = batch.own();
    const auto last = last_number(batch);
    if (!last) return tl::unexpected(last.error());
    change.sequence = *last + 1;
    change.time_ns = batch.now_ns();
    const be64 sequence(change.sequence);
    const NewestKey key{change.kind, change.id};
    if (change.what != Change::What::created)
        if (auto dropped = drop_newest(batch, key); !dropped) return dropped;
    const ChangeRecord record{change.kind, change.what, change.id, be64(change.time_ns),
                              change.former_cluster};
    if (auto put = batch.put(own.changes, bytes_of(sequence), bytes_of(record)); !put) return put;
    batch.add_change(change);
    if (change.what != Change::What::deleted)
        return batch.put(own.newest_changes, bytes_of(key), bytes_of(sequence));
    if (auto dropped = drop(batch, own.newest_changes, bytes_of(key)); !dropped) return dropped;
    if (auto put = batch.put(own.deletions, bytes_of(sequence), {}); !put) return put;
    return forget_deletions(batch);
}

Result<void> forget_changes(Batch& batch, Kind kind, const Id& id) {
    const NewestKey key{kind, id};
    if (auto dropped = drop_newest(batch, key); !dropped) return dropped;
    return drop(batch, batch.own().newest_changes, bytes_of(key));
}

Result<void> ensure_changes(Batch& batch) {
    const auto count = batch.txn().count(batch.own().changes);
    if (!count) return tl::unexpected(count.error());
    if (*count != 0) return {};
    for (std::size_t kind = 1; kind < kKinds; ++kind) {
        const Table table = batch.own().documents[kind];
        if (table.handle == 0) continue;  // a timeline is no document
        std::vector<Id> ids;
        const auto scanned = scan(batch.txn(), table, {}, [&ids](Bytes key, Bytes) {
            if (const auto id = read_as<Id>(key)) ids.push_back(*id);
            return true;
        });
        if (!scanned) return scanned;
        for (const Id& id : ids) {
            Change change;
            change.kind = static_cast<Kind>(kind);
            change.what = Change::What::created;
            change.id = id;
            if (auto appended = append_change(batch, change); !appended) return appended;
        }
    }
    return {};
}

}  // namespace rouse::store
