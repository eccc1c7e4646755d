#pragma once
// What a worker follows: of the centre's documents those that it needs to serve its racks and to be ready for
// those that it is the standby of.
//
//   clusters  its racks', each with the list of its machines: whoever is not in it has left
//   machines  of these clusters, with the addresses that the centre planned
//   pools     all, without guests: their addresses are not planned here
//   profiles  all
//   images    all names, since a loader may ask for any of them; contents come by hash

#include "mgmt/store/collections.hpp"
#include "mgmt/store/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::workers {

struct FeedQuery {
    std::string worker;
    std::uint64_t after = 0;           // the sequence up to which it has everything; 0: it has nothing
    std::string epoch;                 // of that sequence: identity_of() the store that counted it
    std::string mark;                  // of the last answer: of which racks it knows
    std::uint64_t tenure_seconds = 0;  // told with the answer
    std::size_t limit = 2000;
};

// {"epoch", "sequence", "tenure_seconds", "mark", "more", "complete", "racks": [{"cluster", "epoch",
// "serving"}], "documents": […],
//  "removed": [{"kind", "id"}]}
//   tenure_seconds  for how long it may serve without a further answer
//   sequence   from where to go on
//   more       there is more to be had at once
//   complete   it starts from nothing: what is neither among these documents nor those that follow while
//   there
//              is more is gone
//   documents  {"kind", "revision", "fields", "machines": of a cluster}
struct FeedAnswer {
    std::uint64_t sequence = 0;
    bool is_empty = false;  // nothing that concerns this worker
    std::string text;       // as JSON
};
[[nodiscard]] Result<FeedAnswer> feed_answer(const store::View& view, const FeedQuery& query);

// A UUID of the centre's store: sequences of another one have nothing to do with this one's. Empty while it
// has none.
[[nodiscard]] Result<std::string> identity_of(const store::View& view);
Result<void> ensure_identity(store::Batch& batch);

// A kind as the feed calls it; empty: no worker follows those.
[[nodiscard]] std::string_view feed_name(store::Kind kind) noexcept;
// The collection of such documents; null for a name that this build does not know.
[[nodiscard]] const store::Collection* feed_collection(std::string_view name) noexcept;

}  // namespace rouse::workers
