#pragma once
// What a client is told to boot.

#include "dataplane/dhcp/message.hpp"
#include "shared/fixed_string.hpp"
#include "shared/store/records.hpp"

namespace rouse::dhcp {

// A name in the catalogue and, for UEFI HTTP boot, the URI it stands at. Empty: nothing to boot.
struct BootFile {
    store::ImageName name;
    FixedString<256> uri;  // empty unless the client boots by HTTP
};

// Who asks what to boot, over IPv4 or IPv6.
struct BootClient {
    ClientKind kind{};
    std::uint16_t architecture = kArchitectureUnknown;
    MacAddress mac;
};

// The script for iPXE when the profile has one (its own loader would make it load itself for ever), else the
// profile's loader for the client's architecture, with the machine's own data in place of {{mac}},
// {{mac-dashes}},
// {{hostname}} and {{ip}}. Empty for an operating system, and when the expanded name is too long.
[[nodiscard]] store::ImageName boot_name_for(const BootClient& client, const store::HostRecord& host,
                                             const store::ProfileRecord* profile, Quirks quirks) noexcept;

// That name for the sender of MESSAGE, and its URI on SERVER.
[[nodiscard]] BootFile boot_file_for(const Message& message, const store::HostRecord& host,
                                     const store::ProfileRecord* profile, Quirks quirks,
                                     Ipv4Address server) noexcept;

}  // namespace rouse::dhcp
