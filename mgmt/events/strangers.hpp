#pragma once
// Machines that spoke and are not registered: a bounded list, newest kept, for people who wonder why a
// machine gets no answer.

#include "mgmt/events/tables.hpp"
#include "shared/addresses.hpp"
#include "shared/event.hpp"
#include "shared/fixed_string.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace rouse::events {

inline constexpr std::size_t kMaxStrangers = 1024;

// Table `strangers`, key: MAC address.
struct Stranger {
    static constexpr std::uint16_t kVersion = 1;

    std::uint16_t version = kVersion;
    std::uint16_t architecture = 0xffff;  // DHCP option 93; 0xffff: not told
    std::uint16_t reason = 0;             // DropReason: why it got no answer
    std::uint16_t reserved = 0;
    std::uint64_t first_seen_ns = 0;  // CLOCK_REALTIME
    std::uint64_t last_seen_ns = 0;
    std::uint64_t events = 0;
    FixedString<64> vendor_class{};  // DHCP option 60, printable

    [[nodiscard]] bool is_valid() const noexcept {
        return version == kVersion && vendor_class.is_terminated();
    }
};

// Gathers the strangers of one batch of events, so that a flood costs one write per machine.
class StrangerNotes {
  public:
    void note(const Event& event);
    // Merges them into the table, then drops those seen longest ago until kMaxStrangers are left.
    Result<void> write(store::Batch& batch, const EventTables& tables) const;

  private:
    std::unordered_map<MacAddress, Stranger> seen_;
};

struct SeenStranger {
    MacAddress mac;
    Stranger what;
};
// Last seen first, without those that have been registered since.
[[nodiscard]] Result<std::vector<SeenStranger>> read_strangers(const store::View& view,
                                                               const EventTables& tables);

}  // namespace rouse::events
