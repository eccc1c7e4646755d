#pragma once
// What the dataplane reads from LMDB: fixed layout, versioned, trivially copyable. rouse-mgmt writes them,
// after is_valid(); readers copy them out (LMDB aligns values to 2 bytes) and check again, so that a damaged
// record is a miss and never a crash.

#include "shared/addresses.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/drop_reason.hpp"
#include "shared/fixed_string.hpp"
#include "shared/quirk.hpp"
#include "shared/store/lmdb.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::store {

using NetworkId = std::uint32_t;  // 0: none
using ProfileId = std::uint32_t;  // 0: none
using Sha256 = std::array<std::uint8_t, 32>;
using ImageName = FixedString<128>;  // with its NUL it fits BOOTP's `file` field (RFC 2131 2)

inline constexpr std::uint16_t kRecordVersion = 1;

// Table `hosts`, key: MAC address. A machine that may be served; it is on the allow-list by being here:
// registered, or a guest on a network that serves unknown machines.
struct HostRecord {
    std::uint16_t version = kRecordVersion;
    Quirks quirks{};
    NetworkId network = 0;  // 0: no network has room for it yet, so DHCP stays silent
    // A guest's address is promised until then (unix seconds), and no lease may end later; 0: registered, for
    // good.
    std::uint64_t expires_unix = 0;
    ProfileId profile = 0;  // resolved: the machine's own, else its cluster's, else its network's; 0: none
    Ipv4Address address{};  // planned and promised (a lease of the same address names this MAC)
    FixedString<64> hostname{};         // a DNS label (RFC 1123 2.1), may be empty
    std::array<char, 36> machine_id{};  // UUID text of the machine's REST object; zero for guests
    Ipv6Address address6{};        // planned and promised like `address`, by a lease in `leases6`; zero: none
    std::uint32_t line_bytes = 0;  // of its boot line
    std::uint64_t line_id = 0;     // its boot line (see FramedText): key in table `rendered`; 0: none

    [[nodiscard]] bool is_guest() const noexcept { return expires_unix != 0; }
    [[nodiscard]] bool is_valid() const noexcept {
        return version == kRecordVersion && hostname.is_terminated() && (network == 0) == address.is_zero() &&
               (address6.is_zero() || (network != 0 && !address6.is_multicast()));
    }
};

// Table `networks`, key: NetworkId (be32).
struct NetworkRecord {
    static constexpr std::size_t kMaxDnsServers = 4;
    static constexpr std::size_t kMaxDns6Servers = 2;
    static constexpr std::uint16_t kMaxRouterLifetime = 9000;  // RFC 4861 6.2.1
    static constexpr std::uint32_t kMinMtu6 = 1280;            // RFC 8200 5
    static constexpr std::uint8_t kServeUnknown = 1;           // strangers get a guest's lease
    static constexpr std::uint8_t kProxy = 2;  // another server gives the addresses; we only say what to boot

    std::uint16_t version = kRecordVersion;
    std::uint8_t flags = 0;
    std::uint8_t dns_count = 0;
    NetworkId id = 0;
    Ipv4Prefix prefix{};
    std::uint8_t padding[3]{};
    Ipv4Address gateway{};  // zero: none
    Ipv4Address range_start{};
    Ipv4Address range_end{};
    std::uint32_t lease_seconds = 0;
    std::array<Ipv4Address, kMaxDnsServers> dns{};
    Ipv6Prefix prefix6{};  // length 0: a network without IPv6, and the fields below mean nothing
    std::uint8_t dns6_count = 0;
    std::uint16_t router_lifetime6 = 0;  // seconds for which hosts may route by us; 0: we are no router
    std::uint32_t mtu6 = 0;              // of the link, for router advertisements; 0: not said
    std::array<Ipv6Address, kMaxDns6Servers> dns6{};

    [[nodiscard]] bool serves_unknown() const noexcept { return (flags & kServeUnknown) != 0; }
    [[nodiscard]] bool is_proxy() const noexcept { return (flags & kProxy) != 0; }
    [[nodiscard]] bool has_ipv6() const noexcept { return prefix6.length != 0; }
    [[nodiscard]] bool is_valid() const noexcept {
        return version == kRecordVersion && id != 0 && prefix.length >= 1 && prefix.length <= 30 &&
               dns_count <= kMaxDnsServers && lease_seconds > 0 && prefix6.is_valid() &&
               prefix6.length <= 126 && dns6_count <= kMaxDns6Servers &&
               router_lifetime6 <= kMaxRouterLifetime && (mtu6 == 0 || mtu6 >= kMinMtu6);
    }
};

// Seconds for which HOST's address on NETWORK may be promised now: the network's lease time, and for a guest
// never beyond what is committed. 0: its promise has run out.
[[nodiscard]] inline std::uint32_t lease_seconds(const HostRecord& host, const NetworkRecord& network,
                                                 std::uint64_t now_unix) noexcept {
    if (!host.is_guest()) return network.lease_seconds;
    if (host.expires_unix <= now_unix) return 0;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(network.lease_seconds, host.expires_unix - now_unix));
}

// X(identifier, number, meaning). The numbers are stored: append, never change.
#define ROUSE_LEASE_STATES(X)                                                              \
    X(reserved, 1, "planned for a registered machine, which has not asked for it yet")     \
    X(active, 2, "a machine was told that it has it")                                      \
    X(expired, 3, "its time ran out; remembered for its machine's return")                 \
    X(released, 4, "given back; remembered for its machine's return")                      \
    X(abandoned, 5, "found in use by something that we do not know; set aside for a time") \
    X(offered, 6, "offered to a guest, which has not answered yet")

enum class LeaseState : std::uint8_t {
#define X(name, number, help) name = number,
    ROUSE_LEASE_STATES(X)
#undef X
};

inline constexpr auto kLeaseStates = std::to_array<ListEntry>({
#define X(name, number, help) {#name, help},
    ROUSE_LEASE_STATES(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(LeaseState state) noexcept {
    return kLeaseStates[static_cast<std::size_t>(state) - 1].name;
}

// For how long an offer to a guest stands, and with it the first lease (see mgmt/boot/guest_leases.hpp); one
// that has less than half of it left is asked for again before it is offered again.
inline constexpr std::uint32_t kOfferSeconds = 60;

// Table `leases`, key: Ipv4Address; table `leases6`, key: Ipv6Address. The promise: while it stands, the
// address is this machine's. Times are unix seconds.
struct LeaseRecord {
    std::uint16_t version = kRecordVersion;
    LeaseState state = LeaseState::reserved;
    std::uint8_t reserved = 0;
    NetworkId network = 0;
    MacAddress mac{};
    std::uint8_t padding[2]{};
    // When something happens to it by itself; 0: never (a registered machine's). Of an expired or released
    // one: since when it is.
    std::uint64_t expires_unix = 0;
    std::uint64_t promised_unix = 0;  // the latest end of which its machine was told; 0: none
    std::uint64_t started_unix = 0;   // when its machine was first told that it has it; 0: not yet
    std::uint64_t last_unix = 0;      // last transaction; 0: none

    // Nobody else may have the address.
    [[nodiscard]] bool is_taken() const noexcept {
        return state != LeaseState::expired && state != LeaseState::released;
    }
    [[nodiscard]] bool is_valid() const noexcept {
        return version == kRecordVersion && network != 0 && !mac.is_group() &&
               state >= LeaseState::reserved && state <= LeaseState::offered;
    }
};

// Table `profiles`, key: ProfileId (be32).
struct ProfileRecord {
    static constexpr std::uint8_t kHasScript = 1;  // has a kernel: iPXE is sent `boot.ipxe`

    std::uint16_t version = kRecordVersion;
    std::uint8_t flags = 0;
    std::uint8_t reserved = 0;
    ProfileId id = 0;
    std::array<ImageName, kLoaderNames.size()> loaders{};  // indexed by Loader; empty: none

    [[nodiscard]] bool has_script() const noexcept { return (flags & kHasScript) != 0; }
    [[nodiscard]] std::string_view loader(Loader loader) const noexcept {
        return loaders[static_cast<std::size_t>(loader)].view();
    }
    [[nodiscard]] bool is_valid() const noexcept {
        if (version != kRecordVersion || id == 0) return false;
        for (const auto& name : loaders)
            if (!name.is_terminated()) return false;
        return true;
    }
};

// Name of the script that an iPXE client is given; a rendered file, one per machine.
inline constexpr std::string_view kBootScriptName = "boot.ipxe";

enum class ContentKind : std::uint8_t {
    image = 1,     // a file of the catalogue
    rendered = 2,  // a text of its own
    framed = 3,    // a text with the asking machine's boot line in it: see FramedText
};

// Table `names`, key: name_key(). What a name that a client asks for stands for. Re-pointing a name never
// touches content, so transfers under way finish with what they began.
struct NameRecord {
    std::uint16_t version = kRecordVersion;
    ContentKind kind = ContentKind::image;
    std::uint8_t reserved[5]{};
    std::uint64_t size = 0;         // bytes; kind framed: without the line
    std::uint64_t rendered_id = 0;  // kinds rendered and framed: key (be64) in table `rendered`
    Sha256 hash{};                  // kind image: key in table `images`, and the file images/sha256/<hex>

    [[nodiscard]] bool is_valid() const noexcept {
        return version == kRecordVersion && kind >= ContentKind::image && kind <= ContentKind::framed;
    }
    // As HOST's machine gets it: with its line's bytes; nothing when it lacks the line that belongs in it.
    [[nodiscard]] std::optional<NameRecord> seen_by(const HostRecord& host) const noexcept {
        if (kind == ContentKind::framed && host.line_id == 0) return std::nullopt;
        NameRecord seen = *this;
        if (kind == ContentKind::framed) seen.size += host.line_bytes;
        return seen;
    }
};

// Table `images`, key: Sha256. Contents that some name stands for; the dataplane keeps these at hand.
struct ImageRecord {
    std::uint16_t version = kRecordVersion;
    std::uint8_t reserved[6]{};
    std::uint64_t size = 0;

    [[nodiscard]] bool is_valid() const noexcept { return version == kRecordVersion; }
};

// Table `rendered`, key: be64 id that is never used again; value: the bytes. At most kMaxRenderedBytes. An id
// stays readable for kRenderedGraceSeconds after its name moved on, so a transfer under way finishes.
inline constexpr std::size_t kMaxRenderedBytes = 64 * 1024;
inline constexpr std::uint64_t kRenderedGraceSeconds = 600;

// Where a name is looked up, in this order: the machine's own, its profile's, everybody's.
enum class NameScope : std::uint8_t { machine = 'm', profile = 'p', common = 'c' };

// Loaders ask for "grub.cfg-01-52-54-00-12-34-56" and the like: hardware type and address of the machine that
// asks. In a profile's names this stands for these six octets, so that one record serves all its machines. No
// image's name holds such a character.
inline constexpr char kOwnAddress = '\x01';

// A key of table `names`: scope, then the scope's owner (MAC or ProfileId, nothing for common), then the
// name; in a profile's, kOwnAddress for the asking machine's address at its end.
class NameKey {
  public:
    [[nodiscard]] static std::optional<NameKey> machine(const MacAddress& mac,
                                                        std::string_view name) noexcept {
        return make(NameScope::machine, bytes_of(mac), name);
    }
    [[nodiscard]] static std::optional<NameKey> profile(ProfileId id, std::string_view name) noexcept {
        const be32 wire(id);
        return make(NameScope::profile, bytes_of(wire), name);
    }
    [[nodiscard]] static std::optional<NameKey> common(std::string_view name) noexcept {
        return make(NameScope::common, {}, name);
    }
    // Where NAME is looked up for a machine, in this order. The profile's key is missing without a profile.
    [[nodiscard]] static std::array<std::optional<NameKey>, 3> in_order(const MacAddress& mac, ProfileId id,
                                                                        std::string_view name) noexcept {
        auto of_profile = id == 0 ? std::nullopt : profile(id, name);
        if (of_profile) of_profile->fold(mac);
        return {machine(mac, name), of_profile, common(name)};
    }
    [[nodiscard]] Bytes bytes() const noexcept { return std::as_bytes(std::span(buffer_.data(), length_)); }

  private:
    // Nothing for a name that no record can have (empty or longer than an ImageName).
    static std::optional<NameKey> make(NameScope scope, Bytes owner, std::string_view name) noexcept {
        if (name.empty() || name.size() > ImageName::kMaxLength) return std::nullopt;
        NameKey key;
        key.buffer_[0] = static_cast<char>(scope);
        if (!owner.empty()) std::memcpy(key.buffer_.data() + 1, owner.data(), owner.size());
        std::memcpy(key.buffer_.data() + 1 + owner.size(), name.data(), name.size());
        key.length_ = 1 + owner.size() + name.size();
        return key;
    }
    // "01-52-54-00-12-34-56" at the end, when that is MAC, becomes "01-" and kOwnAddress.
    void fold(const MacAddress& mac) noexcept {
        constexpr std::string_view kDigits = "0123456789abcdef";
        constexpr std::size_t kLength = 3 * sizeof mac.octets;  // a dash before each octet
        if (length_ < 2 + kLength) return;
        char* at = buffer_.data() + length_ - kLength;
        if (std::string_view(at - 2, 2) != "01") return;
        for (std::size_t i = 0; i < mac.octets.size(); ++i) {
            const unsigned octet = mac.octets[i];
            const char* digits = at + 3 * i;
            if (digits[0] != '-' || digits[1] != kDigits[octet >> 4] || digits[2] != kDigits[octet & 0xf])
                return;
        }
        at[1] = kOwnAddress;
        length_ -= kLength - 2;
    }
    std::array<char, 1 + sizeof(MacAddress) + ImageName::kMaxLength> buffer_{};
    std::size_t length_ = 0;
};

template <typename R>
concept Record = std::is_trivially_copyable_v<R> && requires(const R record) {
    { record.is_valid() } -> std::same_as<bool>;
};

// Copies a record out of a value; nothing when its size or content is not what this build understands.
template <Record R>
[[nodiscard]] std::optional<R> decode(Bytes value) noexcept {
    if (value.size() != sizeof(R)) return std::nullopt;
    R record;
    std::memcpy(static_cast<void*>(&record), value.data(), sizeof record);
    if (!record.is_valid()) return std::nullopt;
    return record;
}

// Switches that the management plane flips, read by the dataplane per change. Table `switches`, key
// "dataplane".
struct SwitchRecord {
    std::uint16_t version = kRecordVersion;
    std::uint8_t dhcp_enabled = 1;
    std::uint8_t tftp_enabled = 1;
    std::uint16_t max_block_size = 1468;  // RFC 2348; the port's MTU caps it further
    std::uint16_t max_window = 64;        // RFC 7440

    [[nodiscard]] bool is_valid() const noexcept {
        return version == kRecordVersion && dhcp_enabled <= 1 && tftp_enabled <= 1 && max_block_size >= 8 &&
               max_window >= 1;
    }
};
inline constexpr std::string_view kDataplaneSwitches = "dataplane";

}  // namespace rouse::store
