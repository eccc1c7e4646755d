#include "mgmt/store/changes.hpp"

#include "mgmt/store/stored_document.hpp"
#include "shared/endian.hpp"

#include <algorithm>
#include <cstring>

namespace rouse::store {
namespace {

constexpr std::string_view kForgottenKey = "changes_forgotten";  // in `meta`; value: be64
// Forgotten at once, so that the note of how far is seldom written.
constexpr std::size_t kForgetAtOnce = 256;

constexpr std::string_view kSweptKey = "changes_swept";  // in `meta`; value: be64, the next sweep's first
constexpr std::uint64_t kSweepEvery = 256;               // changes
constexpr std::size_t kSweepEntries = 1024;              // that one sweep looks at

// Value of table `changes`, whose key is the sequence (be64).
struct ChangeRecord {
    Kind kind{};
    Change::What what{};
    Id id;
    be64 time_ns;
    Id former_cluster;
    be64 revision;
};
static_assert(sizeof(ChangeRecord) == 50 && alignof(ChangeRecord) == 1);

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
    return Change{.sequence = sequence->host(),
                  .time_ns = record->time_ns.host(),
                  .kind = record->kind,
                  .what = record->what,
                  .id = record->id,
                  .revision = record->revision.host(),
                  .former_cluster = record->former_cluster};
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

// Takes what the feed says of a timeline out of it.
Result<void> drop_timeline(Batch& batch, const Id& machine) {
    const auto number = number_in(batch, batch.own().timeline_changes, bytes_of(machine));
    if (!number) return tl::unexpected(number.error());
    if (*number == 0) return {};
    return drop(batch, batch.own().changes, bytes_of(be64(*number)));
}

// A later change of the same document is in the feed. Timelines' and deletions leave it in other ways.
Result<bool> is_superseded(const View& view, const Change& change) {
    if (change.kind == Kind::timeline || change.what == Change::What::deleted) return false;
    const auto revision = stored_revision(view, change.kind, change.id);
    if (!revision) return tl::unexpected(revision.error());
    return *revision == 0 || *revision != change.revision;
}

// How many changes readers may meet.
Result<std::size_t> count_newest(const View& view) {
    const OwnTables& own = view.own();
    std::size_t sum = 0;
    const auto add = [&](Table table) -> Result<void> {
        const auto count = view.txn().count(table);
        if (!count) return tl::unexpected(count.error());
        sum += *count;
        return {};
    };
    for (const Table table : {own.timeline_changes, own.deletions})
        if (auto added = add(table); !added) return tl::unexpected(added.error());
    for (std::size_t kind = 1; kind < kKinds; ++kind) {
        if (own.documents[kind].handle == 0 || !is_in_feed(static_cast<Kind>(kind))) continue;
        if (auto added = add(own.documents[kind]); !added) return tl::unexpected(added.error());
    }
    return sum;
}

// Drops superseded changes among the next kSweepEntries once they are a fifth of the feed. One by one, as
// they are superseded, each would cost a page of its own of every commit.
Result<void> sweep(Batch& batch) {
    const Table changes = batch.own().changes;
    const auto entries = batch.txn().count(changes);
    if (!entries) return tl::unexpected(entries.error());
    const auto newest = count_newest(batch);
    if (!newest) return tl::unexpected(newest.error());
    if (*entries <= *newest + *newest / 4 + kSweepEntries) return {};
    const auto begin = number_in(batch, batch.tables().meta, bytes_of(kSweptKey));
    if (!begin) return tl::unexpected(begin.error());
    std::vector<be64> superseded;
    be64 next;  // from the front again
    std::size_t seen = 0;
    Result<void> looked;
    const auto scanned = scan(batch.txn(), changes, bytes_of(be64(*begin)), [&](Bytes key, Bytes value) {
        const auto sequence = read_as<be64>(key);
        if (sequence && seen++ == kSweepEntries) next = *sequence;
        if (seen > kSweepEntries) return false;
        const auto change = to_change(key, value);
        if (!change) return true;
        const auto is_old = is_superseded(batch, *change);
        if (!is_old) looked = tl::unexpected(is_old.error());
        if (is_old && *is_old) superseded.push_back(*sequence);
        return looked.has_value();
    });
    if (!scanned) return scanned;
    if (!looked) return looked;
    for (const be64& sequence : superseded)
        if (auto dropped = drop(batch, changes, bytes_of(sequence)); !dropped) return dropped;
    return batch.put(batch.tables().meta, bytes_of(kSweptKey), bytes_of(next));
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
    Result<void> looked;
    const auto scanned =
        scan(view.txn(), view.own().changes, bytes_of(be64(sequence + 1)), [&](Bytes key, Bytes value) {
            const auto change = to_change(key, value);
            if (!change) return true;
            const auto is_old = is_superseded(view, *change);
            if (!is_old) looked = tl::unexpected(is_old.error());
            if (!looked) return false;
            return *is_old || (visit(*change) && ++seen < limit);
        });
    return scanned ? looked : scanned;
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
    if (change.kind == Kind::timeline) {
        if (auto dropped = drop_timeline(batch, change.id); !dropped) return dropped;
        if (auto put = batch.put(own.timeline_changes, bytes_of(change.id), bytes_of(sequence)); !put)
            return put;
    }
    const ChangeRecord record{change.kind,          change.what,           change.id,
                              be64(change.time_ns), change.former_cluster, be64(change.revision)};
    if (auto put = batch.put(own.changes, bytes_of(sequence), bytes_of(record)); !put) return put;
    batch.add_change(change);
    if (change.what == Change::What::deleted) {
        if (auto put = batch.put(own.deletions, bytes_of(sequence), {}); !put) return put;
        if (auto forgotten = forget_deletions(batch); !forgotten) return forgotten;
    }
    return change.sequence % kSweepEvery == 0 ? sweep(batch) : Result<void>{};
}

Result<void> forget_timeline_changes(Batch& batch, const Id& machine) {
    if (auto dropped = drop_timeline(batch, machine); !dropped) return dropped;
    return drop(batch, batch.own().timeline_changes, bytes_of(machine));
}

Result<void> drop_changes(Batch& batch) {
    for (const Table table : {batch.own().changes, batch.own().timeline_changes, batch.own().deletions})
        if (const int code = mdb_drop(batch.txn().raw(), table.handle, 0); code != 0)
            return fail(std::string("cannot empty the feed of changes: ") + mdb_strerror(code));
    return begin_changes_anew(batch);
}

Result<void> ensure_changes(Batch& batch) {
    const auto count = batch.txn().count(batch.own().changes);
    if (!count) return tl::unexpected(count.error());
    if (*count != 0) return {};
    for (std::size_t kind = 1; kind < kKinds; ++kind) {
        const Table table = batch.own().documents[kind];
        if (table.handle == 0 || !is_in_feed(static_cast<Kind>(kind))) continue;
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
            const auto revision = stored_revision(batch, change.kind, id);
            if (!revision) return tl::unexpected(revision.error());
            change.revision = *revision;
            if (auto appended = append_change(batch, change); !appended) return appended;
        }
    }
    return {};
}

}  // namespace rouse::store
