#pragma once
// The programs that a machine boots with: what each says of itself by DHCP, how it fetches by TFTP, and how
// patient it is. Read off the wire of the real ones.

#include "dataplane/wire/dhcp.hpp"
#include "dataplane/wire/tftp.hpp"
#include "perf/load/name_search.hpp"
#include "shared/result.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace rouse::load {

// Milliseconds between the tries of one message: each wait is twice as long as that before.
struct Patience {
    std::uint32_t first_ms;
    std::uint32_t longest_ms;
    std::uint8_t tries;  // messages sent before it gives up

    // Until the resend that follows try ATTEMPT, which counts from 1.
    [[nodiscard]] constexpr std::uint64_t wait_ms(unsigned attempt) const noexcept {
        std::uint64_t wait = first_ms;
        for (unsigned i = 1; i < attempt && wait < longest_ms; ++i) wait *= 2;
        return wait < longest_ms ? wait : longest_ms;
    }
};

struct DhcpManner {
    std::uint16_t flags = 0;                       // of the DHCP header
    std::uint16_t architecture = kNoArchitecture;  // option 93; kNoArchitecture: not sent
    std::uint16_t maximum_message_size = 1472;     // option 57
    std::string_view vendor_class;                 // option 60
    std::string_view user_class{};                 // option 77; empty: not sent
    std::string_view parameter_list;               // option 55
    std::string_view file{};                       // BOOTP's file field
    bool has_client_identifier = false;            // option 61: hardware type and address
    bool has_uuid = true;                          // option 97
    std::uint16_t collects_ms = 0;                 // waits so long for further offers before it takes one
    Patience discover;
    Patience request;

    static constexpr std::uint16_t kNoArchitecture = 0xffff;
};

struct TftpManner {
    // What it answers to a block that it did not expect.
    enum class Gap : std::uint8_t {
        acknowledge_each,  // the last good block, each time
        acknowledge_once,  // likewise, once until that block comes
        wait,              // nothing
    };
    wire::tftp::Options ask;       // of each request
    bool probes = false;           // asks for the size first, in a transfer of its own that it aborts
    std::uint16_t first_port = 0;  // of its requests, which count up from there; 0: random
    Gap gap = Gap::wait;
    bool resends_acknowledgements = true;  // false: after the first block the server alone repeats
    bool looks_up_each = false;            // the server's hardware address, by ARP, before every file
    Search search = Search::none;          // asked for before its files
    Patience patience;
};

struct MachineKind {
    std::string_view name;
    DhcpManner dhcp;
    TftpManner tftp;
    bool has_tftp = true;
    bool has_checksum = true;  // of UDP
    bool leases = true;        // false: it uses the lease of the program that loaded it
    const MachineKind* next =
        nullptr;  // the program that its one file is; none: it fetches all that are left

    // Files that it takes for every program to run.
    [[nodiscard]] constexpr unsigned loads() const noexcept {
        return next == nullptr ? 0 : 1 + next->loads();
    }
};

// The list of `--kind`.
[[nodiscard]] std::span<const MachineKind> machine_kinds() noexcept;
[[nodiscard]] Result<const MachineKind*> find_machine_kind(std::string_view name);

}  // namespace rouse::load
