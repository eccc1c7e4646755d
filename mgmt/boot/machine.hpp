#pragma once
// Registered machines: their documents, and all that the dataplane is told about them, in one commit.
// Everything here runs inside an operation of the Writer.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "shared/addresses.hpp"

#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

// Checks that cluster and boot profile exist, gives the machine an address, stores it, projects it.
[[nodiscard]] Outcome<store::Document> register_machine(store::Batch& batch, const Appliance& appliance,
                                                        nlohmann::json fields);

// Replaces a machine's fields by new ones and moves all that follows from them. The same "ip" keeps the
// address, even in another cluster; another one is asked for as in place(), null asks for a planned one.
[[nodiscard]] Outcome<store::Document> change_machine(store::Batch& batch, const Appliance& appliance,
                                                      const store::Document& current, nlohmann::json fields);

// Frees the address, the names, the token, the host record. True if it was there.
[[nodiscard]] Outcome<bool> remove_machine(store::Batch& batch, store::Id id);

// The machine found ADDRESS, which is its own, in use by something else. A planned address is set aside and
// the machine gets another; one that the operator typed in stays, and so does one when too many are set aside
// already: a document that is as it was says so.
[[nodiscard]] Outcome<store::Document> replace_declined(store::Batch& batch, const Appliance& appliance,
                                                        const store::Document& machine, Ipv4Address address);

// Makes the HostRecord, the boot line and the machine's files say what the documents say; writes only what
// differs, so it may be called at any time. A machine that another appliance serves is withheld.
[[nodiscard]] Outcome<void> project_machine(store::Batch& batch, const Appliance& appliance,
                                            const store::Document& machine);

// The dataplane knows nothing of the machine any more: another appliance serves it, or nobody does.
[[nodiscard]] Outcome<void> withhold_machine(store::Batch& batch, const MacAddress& mac);

// The same after something changed that the machine shares with others, such as its pool: its IPv6 address
// follows too.
[[nodiscard]] Outcome<void> refresh_machine(store::Batch& batch, const Appliance& appliance,
                                            store::Document machine);

// Gives addresses to machines that wait for one, at most LIMIT of them, those after AFTER. Returns the last
// one looked at; nothing when all have been.
[[nodiscard]] Outcome<std::optional<store::Id>> place_waiting(store::Batch& batch, const Appliance& appliance,
                                                              std::optional<store::Id> after,
                                                              std::size_t limit);

// The machine begins a boot: its files for this one carry a new token. What it fetched just before still has
// the last one, which stays good for this boot.
[[nodiscard]] Outcome<void> renew_token(store::Batch& batch, const Appliance& appliance, store::Id machine);

// The ramdisk has reported home: TOKEN is good no more, and the boot line for the next boot has a new one.
// Returns its machine; errors as machine_of_token().
[[nodiscard]] Outcome<store::Document> spend_token(store::Batch& batch, const Appliance& appliance,
                                                   std::string_view token);

}  // namespace rouse::boot
