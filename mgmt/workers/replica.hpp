#pragma once
// The worker's side of the feed: what it has of its centre's documents, and how far it follows. Every answer
// is applied in one commit with its sequence, so a crash at any instant loses nothing and repeats nothing.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/catalogue.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::workers {

// What the worker remembers of its centre; in table `following`.
struct Following {
    std::string instance;  // of this store: a UUID that it was given when it began to follow
    std::string token;     // as the centre gave it; empty: not registered
    std::string address;   // on the rack, as registered
    std::string epoch;     // of the sequence
    std::uint64_t sequence = 0;
    std::string mark;
};
[[nodiscard]] Result<Following> read_following(const store::View& view);
Result<void> write_following(store::Batch& batch, const Following& following);

// A document of the centre's, by kind's number and id.
using Seen = std::set<std::pair<store::Kind, store::Id>>;
// The documents of an answer, added to SEEN.
void note_seen(const nlohmann::json& answer, Seen& seen);

// Makes the store say what ANSWER (feed.hpp) says, and writes how far it follows now. SEEN: all documents
// since the follower began from nothing, this answer's among them; what is not there goes with the last such
// answer. Images wait until their content is here (wanted_images). TENURE_UNIX: until when this appliance may
// give addresses without further news.
[[nodiscard]] Outcome<void> apply_answer(store::Batch& batch, const boot::Appliance& appliance,
                                         const boot::Catalogue& catalogue, const nlohmann::json& answer,
                                         const Seen& seen, std::uint64_t tenure_unix);

// Images that the centre names and whose contents are to be fetched: those that profiles name come first.
[[nodiscard]] Result<std::vector<store::Document>> wanted_images(const store::View& view);
// The content is here: the name stands for it from now on, unless the centre has said otherwise meanwhile.
[[nodiscard]] Outcome<void> have_image(store::Batch& batch, const boot::Catalogue& catalogue,
                                       const store::Document& image);

}  // namespace rouse::workers
