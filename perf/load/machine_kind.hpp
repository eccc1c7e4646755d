#pragma once
// The programs that ask for an address while a machine boots: what each says of itself in its DHCP messages
// and how patient it is. Read off the wire of the real ones.

#include "dataplane/wire/dhcp.hpp"
#include "shared/result.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace rouse::load {

struct MachineKind {
    std::string_view name;
    std::uint16_t flags;                 // of the DHCP header
    std::uint16_t architecture;          // option 93; kNoArchitecture: not sent
    std::uint16_t maximum_message_size;  // option 57
    std::string_view vendor_class;       // option 60
    std::string_view user_class;         // option 77; empty: not sent
    std::string_view parameter_list;     // option 55
    std::string_view file;               // BOOTP's file field
    bool has_client_identifier;          // option 61: hardware type and address
    bool has_uuid;                       // option 97
    bool has_checksum;                   // of UDP
    // Milliseconds until the first resend of a DISCOVER and of a REQUEST; each further wait is twice as long.
    std::uint32_t discover_wait_ms;
    std::uint32_t request_wait_ms;
    std::uint32_t longest_wait_ms;
    std::uint8_t tries;  // messages sent before it gives up

    static constexpr std::uint16_t kNoArchitecture = 0xffff;

    // Until the resend that follows try TRY, which counts from 1.
    [[nodiscard]] constexpr std::uint64_t wait_ms(bool is_request, unsigned attempt) const noexcept {
        std::uint64_t wait = is_request ? request_wait_ms : discover_wait_ms;
        for (unsigned i = 1; i < attempt; ++i) wait *= 2;
        return wait < longest_wait_ms ? wait : longest_wait_ms;
    }
};

// The list of `--kind`.
[[nodiscard]] std::span<const MachineKind> machine_kinds() noexcept;
[[nodiscard]] Result<const MachineKind*> find_machine_kind(std::string_view name);

}  // namespace rouse::load
