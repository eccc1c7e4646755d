#pragma once
// Leases of guests: machines that nobody registered, on networks that serve such.
//
// What keeps an address from two machines, whatever is killed whenever: the dataplane never promises a guest
// more than its HostRecord's expires_unix, which is committed, and here no address goes to anybody else
// before that time has passed, unless its guest gave it back. So nothing depends on an event's arriving:
//  - A wish commits an offer of kOfferSeconds. It is also all that the first ACK can promise, as in failover
//    (MCLT); firmware does not care, and an operating system renews after half of it.
//  - The ACK's event extends the promise to half as much again as the network's lease. So the next renewal,
//    due after half a lease, is granted in full, and so is each one after it, with one commit per renewal and
//    none that anybody waits for.
//  - An offer that nobody takes up ends by itself. The oldest is the first to be free again.
//
// What keeps a flood of made-up machines from harm: guests, and what they declined, take at most the pool's
// guest_limit (half of its range, when nobody said otherwise), so registered machines find room; and
// strangers' offers at most half of that again, beside which those that return still get the address they
// had.

#include "mgmt/boot/appliance.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/store.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace rouse::boot {

// What happens to guests' leases in one operation of the Writer.
class GuestLeases {
  public:
    GuestLeases(store::Batch& batch, const Appliance& appliance) noexcept
        : batch_(batch), appliance_(appliance) {}

    enum class Wish {
        granted,
        refused,     // there is no such network, or it has no room for guests
        registered,  // it is no guest: what it needs, it has
    };
    // A machine asks for an address on the network of ARRIVED: it is offered the one it has, or had before
    // (RFC 2131 4.3.1), or another.
    [[nodiscard]] Outcome<Wish> offer(const MacAddress& mac, Ipv4Address arrived);
    // An ACK gave ADDRESS to the machine for SECONDS from AT on (registered machines' too). False: it is
    // another machine's, which must not be.
    [[nodiscard]] Outcome<bool> confirm(const MacAddress& mac, Ipv4Address address, std::uint64_t at_unix,
                                        std::uint64_t seconds);
    // The machine gave its address back, and may have it again.
    [[nodiscard]] Outcome<void> give_back(const MacAddress& mac, Ipv4Address address);
    // The guest found its address in use: it is set aside. Not for registered machines (replace_declined).
    [[nodiscard]] Outcome<void> decline(const MacAddress& mac, Ipv4Address address);

  private:
    struct Guested {
        Pool pool;
        std::optional<store::Document> profile;
    };
    Outcome<void> load_pools();
    [[nodiscard]] const Guested* pool_at(Ipv4Address address) const noexcept;
    [[nodiscard]] const Guested* pool_of(store::NetworkId network) const noexcept;
    Outcome<std::optional<Ipv4Address>> choose(const Pool& pool, const MacAddress& mac);
    Outcome<void> write_host(const MacAddress& mac, const Guested& in, Ipv4Address address,
                             std::uint64_t expires_unix);
    Outcome<void> write_orphan(const MacAddress& mac, Ipv4Address address, std::uint64_t at_unix,
                               std::uint64_t until_unix);

    store::Batch& batch_;
    const Appliance& appliance_;
    std::optional<std::vector<Guested>> pools_;
};

// Ends what is due, at most LIMIT leases; returns how many.
[[nodiscard]] Outcome<std::size_t> end_leases(store::Batch& batch, std::size_t limit);

// Sets an address aside for the pool's quarantine_seconds. False, and nothing done: a quarter of its range is
// set aside already, so somebody declines whatever it gets.
[[nodiscard]] Outcome<bool> set_aside(store::Batch& batch, const Pool& pool, Ipv4Address address,
                                      const MacAddress& found_by);

// An operator's word: nobody has the address any more. A registered machine's is a conflict.
[[nodiscard]] Outcome<void> free_lease(store::Batch& batch, Ipv4Address address);

// Makes the host records of a network's guests follow its pool and that one's profile: at most LIMIT leases,
// from FROM on. Returns where to go on; nothing at the end.
[[nodiscard]] Outcome<std::optional<Ipv4Address>> project_guests(store::Batch& batch,
                                                                 const Appliance& appliance,
                                                                 const store::Document& pool,
                                                                 std::optional<Ipv4Address> from,
                                                                 std::size_t limit);

}  // namespace rouse::boot
