#pragma once
// The feed of changes: what happened to documents, in order, for whoever follows them: live streams and other
// appliances. insert(), update() and erase() append to it in their own transaction.
//
// It is compacted: a reader meets a document once, with its newest change. What an update leaves of the
// change before it is swept out later, so that the feed is little longer than the documents are many, beside
// the last kMaxTombstones deletions. A reader that begins at 0 with nothing thus meets every document; one
// that was away meets what it missed, in which `created` and `updated` mean the same: read the document. Only
// deletions are forgotten some day: see oldest_resumable().

#include "mgmt/store/change.hpp"
#include "mgmt/store/store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace rouse::store {

inline constexpr std::size_t kMaxTombstones = 65'536;

// Nobody follows the audit log; its entries would only make the feed longer.
[[nodiscard]] constexpr bool is_in_feed(Kind kind) noexcept {
    return kind != Kind::audit;
}

// Returns false to stop.
using VisitChange = std::function<bool(const Change& change)>;

// The changes after SEQUENCE, oldest first, at most LIMIT of them.
Result<void> changes_after(const View& view, std::uint64_t sequence, std::size_t limit,
                           const VisitChange& visit);

// The newest change's sequence; 0 in an empty store.
[[nodiscard]] Result<std::uint64_t> last_change(const View& view);

// Who saw changes up to a lower sequence than this and holds documents must read everything anew: some of
// them may have been deleted, which is forgotten, or the store is not the one that it followed. 0: nobody
// must.
[[nodiscard]] Result<std::uint64_t> oldest_resumable(const View& view);

// For a store that goes on from older contents, as a restored backup does: from now on changes have numbers
// that none had before, and who followed until now cannot resume.
Result<void> begin_changes_anew(Batch& batch);

// For insert(), update() and erase(), once the document is as the change leaves it, and for what appends to
// timelines. Of a document one small put at the feed's end, and now and then some that keep the feed short.
Result<void> append_change(Batch& batch, Change change);
// Takes a timeline out of the feed with its machine, without a word.
Result<void> forget_timeline_changes(Batch& batch, const Id& machine);

// Empties the feed, which is another's from then on, see begin_changes_anew(). For a store whose feed an
// older version wrote; ensure_changes() then fills it.
[[nodiscard]] Result<void> drop_changes(Batch& batch);
// Begins the feed of a store that has none yet with the documents that are there. For Store::open().
Result<void> ensure_changes(Batch& batch);

}  // namespace rouse::store
