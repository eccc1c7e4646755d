#pragma once
// Which appliance serves a machine. A cluster that is given to a worker says in its document who serves it
// now ("served_by"; nobody: the centre itself), and who else may still be doing so: an appliance that was cut
// off goes on answering with what it knew, until it hears better or its tenure ends (docs/workers.md). While
// such a fence stands, no answer may change; everything here is a function of the store alone.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/store/records.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

// WORKER may still serve what it served, with what it knew: until UNTIL_NS (CLOCK_REALTIME), or until it has
// confirmed a change after AFTER (a sequence of the feed).
struct Fence {
    std::string worker;
    std::uint64_t until_ns = 0;
    std::uint64_t after = 0;

    friend bool operator==(const Fence&, const Fence&) = default;
};
// Of a cluster's or a machine's document: member "_fences".
[[nodiscard]] std::vector<Fence> fences_of(const nlohmann::json& fields);
void set_fences(nlohmann::json& fields, const std::vector<Fence>& fences);

// The sequence of the feed up to which a worker follows; 0: it has not said so yet.
[[nodiscard]] Result<std::uint64_t> confirmed_by(const store::View& view, std::string_view worker);
Result<void> set_confirmed(store::Batch& batch, std::string_view worker, std::uint64_t sequence);
[[nodiscard]] Result<bool> stands(const store::View& view, const Fence& fence, std::uint64_t now_ns);

// Whether this appliance is the one that serves the machine with these fields.
[[nodiscard]] Outcome<bool> is_served_here(const store::View& view, const Appliance& appliance,
                                           const nlohmann::json& machine);

// Refuses while an appliance that cannot be told may still answer the machine as it is now.
[[nodiscard]] Outcome<void> check_may_move(store::Batch& batch, const nlohmann::json& machine);
// Refuses a new machine whose hardware address such an appliance may still answer otherwise.
[[nodiscard]] Outcome<void> check_may_join(store::Batch& batch, const nlohmann::json& machine);
// What is answered to the machine changes with this operation: whoever has not confirmed it answers
// otherwise.
Outcome<void> note_address_change(store::Batch& batch, nlohmann::json& machine);
// The machine leaves its cluster, whose followers are told. NOW: what it becomes, fenced from who served it;
// null: it is deleted.
Outcome<void> note_leaving(store::Batch& batch, const nlohmann::json& machine, nlohmann::json* now);

// Until when (unix seconds) the appliance that serves the machine may have promised it its address of
// NETWORK, for all that we know here; 0: we know all promises.
[[nodiscard]] Result<std::uint64_t> promised_elsewhere(store::Batch& batch, const nlohmann::json& machine,
                                                       store::NetworkId network);

}  // namespace rouse::boot
