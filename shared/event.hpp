#pragma once
// What the dataplane tells the management plane: fixed-size records through a ring in shared memory.

#include "shared/addresses.hpp"
#include "shared/drop_reason.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace rouse {

// X(name, what happened). Names are those of the timeline's entries.
#define ROUSE_EVENTS(X)                                                                   \
    X(none, "")                                                                           \
    X(dataplane_started, "the dataplane started; text: its port")                         \
    X(dhcp_discover, "a DISCOVER came in; text: vendor class")                            \
    X(dhcp_offer, "an OFFER went out; text: boot file")                                   \
    X(dhcp_request, "a REQUEST came in; text: vendor class")                              \
    X(dhcp_ack, "an ACK went out; text: boot file")                                       \
    X(dhcp_nak, "a NAK went out")                                                         \
    X(dhcp_decline, "the machine found its address in use by another")                    \
    X(dhcp_release, "the machine gave its address back")                                  \
    X(dhcp_lease_wanted, "a stranger asks on a network that serves them; address: where") \
    X(dhcp_foreign_server, "another DHCP server is at work; address: its, text: its MAC") \
    X(dhcp_ignored, "a machine was not answered; reason: why")                            \
    X(tftp_request, "a transfer began; text: name, bytes: size")                          \
    X(tftp_complete, "a transfer ended well; detail: TransferEnding")                     \
    X(tftp_probe, "the client asked for a size and stopped; normal for UEFI")             \
    X(tftp_failed, "a transfer ended early; text: name, words: the client's own")         \
    X(tftp_missing, "no such name; detail: MissKind")                                     \
    X(tftp_write_refused, "somebody tried to write; text: the name")                      \
    X(http_request, "a transfer by HTTP began; text: name, detail: HttpPart")             \
    X(http_complete, "it ended well; detail: HttpPart")                                   \
    X(http_probe, "the client asked for a size by HEAD; normal for UEFI")                 \
    X(http_failed, "it ended early; detail: TransferFailure")                             \
    X(http_missing, "no such name by HTTP; detail: MissKind")

enum class EventKind : std::uint16_t {
#define X(name, help) name,
    ROUSE_EVENTS(X)
#undef X
};

inline constexpr auto kEvents = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_EVENTS(X)
#undef X
});

[[nodiscard]] constexpr std::string_view to_string(EventKind kind) noexcept {
    return kEvents[static_cast<std::size_t>(kind)].name;
}

// Why a transfer ended early (Event::detail of tftp_failed). X(name, sentence for the timeline)
#define ROUSE_TRANSFER_FAILURES(X)                                                             \
    X(none, "")                                                                                \
    X(timed_out, "the client stopped acknowledging")                                           \
    X(client_error, "the client sent an error")                                                \
    X(restarted, "the client started over")                                                    \
    X(content_gone, "the file's content went away")                                            \
    X(not_resident, "its bytes cannot be had: damaged, missing, or more than fit into memory") \
    X(displaced, "its place was needed")                                                       \
    X(closed, "the client closed the connection, or stopped reading")

enum class TransferFailure : std::uint16_t {
#define X(name, help) name,
    ROUSE_TRANSFER_FAILURES(X)
#undef X
};

inline constexpr auto kTransferFailures = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_TRANSFER_FAILURES(X)
#undef X
});

// How a transfer ended well (Event::detail of tftp_complete).
#define ROUSE_TRANSFER_ENDINGS(X)                                                       \
    X(acknowledged, "the client has it all")                                            \
    X(unconfirmed, "all of it was sent; the client never acknowledged the last blocks") \
    X(closed_early, "the client had read enough; normal for GRUB")

enum class TransferEnding : std::uint16_t {
#define X(name, help) name,
    ROUSE_TRANSFER_ENDINGS(X)
#undef X
};

inline constexpr auto kTransferEndings = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_TRANSFER_ENDINGS(X)
#undef X
});

// How much of a file was asked for by HTTP (RFC 9110 14; Event::detail of http_request and http_complete).
#define ROUSE_HTTP_PARTS(X) \
    X(whole, "all of it")   \
    X(part, "a part of it") \
    X(rest, "the rest of it, from where it had got to")

enum class HttpPart : std::uint16_t {
#define X(name, help) name,
    ROUSE_HTTP_PARTS(X)
#undef X
};

inline constexpr auto kHttpParts = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_HTTP_PARTS(X)
#undef X
});

// What it means that a name was missing (Event::detail of tftp_missing, http_missing). All but `real` are
// habits of loaders.
#define ROUSE_MISS_KINDS(X)                                                                 \
    X(real, "nobody put this file here")                                                    \
    X(config_search, "a loader tries one name after another for its configuration; normal") \
    X(optional, "a file that the loader does without; normal")

enum class MissKind : std::uint16_t {
#define X(name, help) name,
    ROUSE_MISS_KINDS(X)
#undef X
};

inline constexpr auto kMissKinds = std::to_array<ListEntry>({
#define X(name, help) {#name, help},
    ROUSE_MISS_KINDS(X)
#undef X
});

// Fields that a kind does not use are zero.
struct Event {
    std::uint64_t sequence = 0;  // per ring, from 1, without gaps; set by the ring
    std::uint64_t time_ns = 0;   // CLOCK_REALTIME
    EventKind kind = EventKind::none;
    std::uint16_t detail = 0;  // ClientKind (discover, request), DropReason, TransferFailure, TransferEnding,
                               // HttpPart or MissKind: see the kind
    std::uint32_t transaction = 0;  // DHCP xid; TFTP: client port
    MacAddress mac{};
    std::uint16_t architecture = 0;  // DHCP option 93 (RFC 4578 2.1, IANA); 0xffff when the client sent none
    IpAddress address{};             // the machine's
    std::uint64_t bytes = 0;
    std::uint64_t duration_ns = 0;  // of a transfer; of the lease that an ACK gives, 0 when it gives none
    std::uint32_t count = 0;        // TFTP: blocks sent again; DHCP: the client's secs field
    std::uint16_t block_size = 0;
    std::uint16_t window_size = 0;
    // NUL-padded. Every name that can be served fits; what is longer is cut and ends with "...".
    std::array<char, 128> text{};
    std::array<char, 56> words{};

    void set_text(std::string_view value) noexcept { put(value, text); }
    void set_words(std::string_view value) noexcept { put(value, words); }
    [[nodiscard]] std::string_view get_text() const noexcept { return view(text); }
    [[nodiscard]] std::string_view get_words() const noexcept { return view(words); }

  private:
    template <std::size_t N>
    static void put(std::string_view value, std::array<char, N>& to) noexcept {
        constexpr std::string_view kCut = "...";
        to = {};
        std::copy_n(value.begin(), std::min(value.size(), N), to.begin());
        if (value.size() > N) std::copy(kCut.begin(), kCut.end(), to.end() - kCut.size());
    }
    template <std::size_t N>
    [[nodiscard]] static std::string_view view(const std::array<char, N>& from) noexcept {
        return {from.data(),
                static_cast<std::size_t>(std::find(from.begin(), from.end(), '\0') - from.begin())};
    }
};
static_assert(sizeof(Event) == 256);

}  // namespace rouse
