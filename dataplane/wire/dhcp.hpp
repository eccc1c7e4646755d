#pragma once
// DHCPv4 messages (RFC 2131 2) and options (RFC 2132, RFC 4578, RFC 3046, RFC 3396).

#include "dataplane/wire/bytes.hpp"
#include "shared/addresses.hpp"
#include "shared/endian.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace rouse::wire {

inline constexpr std::uint16_t kDhcpServerPort = 67;
inline constexpr std::uint16_t kDhcpClientPort = 68;
inline constexpr std::uint16_t kPxeServerPort = 4011;  // PXE 2.1 2.2.4: boot server discovery

inline constexpr std::uint8_t kBootRequest = 1;
inline constexpr std::uint8_t kBootReply = 2;
inline constexpr std::uint8_t kHardwareEthernet = 1;
inline constexpr std::uint16_t kBroadcastFlag = 0x8000;
inline constexpr std::uint32_t kDhcpCookie = 0x63825363;

struct DhcpHeader {
    std::uint8_t op;
    std::uint8_t hardware_type;
    std::uint8_t hardware_length;
    std::uint8_t hops;
    be32 transaction;  // xid
    be16 seconds;      // secs
    be16 flags;
    Ipv4Address client;   // ciaddr
    Ipv4Address your;     // yiaddr
    Ipv4Address server;   // siaddr
    Ipv4Address gateway;  // giaddr
    MacAddress hardware;  // chaddr, its first six of sixteen bytes
    std::array<std::uint8_t, 10> hardware_padding;
    std::array<char, 64> server_name;  // sname
    std::array<char, 128> file;
    be32 cookie;
};
static_assert(sizeof(DhcpHeader) == 240 && alignof(DhcpHeader) == 1);

// RFC 1542 2.1: relays and clients may drop a BOOTP message shorter than 300 bytes.
inline constexpr std::size_t kMinimumDhcpMessage = 300;
// RFC 2132 9.10: every client takes 576-byte datagrams; option 57 counts IP and UDP headers too.
inline constexpr std::size_t kDefaultMaximumDatagram = 576;
// Whatever a client takes: no more than an Ethernet frame carries, as fragments are never sent.
inline constexpr std::size_t kLargestDatagram = 1500;

enum class DhcpType : std::uint8_t {
    none = 0,
    discover = 1,
    offer = 2,
    request = 3,
    decline = 4,
    ack = 5,
    nak = 6,
    release = 7,
    inform = 8,
};

enum class DhcpOption : std::uint8_t {
    pad = 0,
    subnet_mask = 1,
    router = 3,
    dns_servers = 6,
    host_name = 12,
    boot_file_size = 13,
    broadcast_address = 28,
    vendor_specific = 43,
    requested_address = 50,
    lease_time = 51,
    overload = 52,
    message_type = 53,
    server_identifier = 54,
    parameter_list = 55,
    maximum_message_size = 57,
    renewal_time = 58,
    rebinding_time = 59,
    vendor_class = 60,
    client_identifier = 61,
    tftp_server_name = 66,
    boot_file_name = 67,
    user_class = 77,
    relay_agent = 82,
    client_architecture = 93,
    client_uuid = 97,
    ipxe = 175,
    end = 255,
};

// Walks the options of one field (options, or file and sname when overloaded). Ends at `end`, at the field's
// end, or at an option that runs past it.
class DhcpOptionReader {
  public:
    struct Option {
        DhcpOption code;
        ConstBytes value;
    };
    explicit DhcpOptionReader(ConstBytes field) noexcept : rest_(field) {}

    [[nodiscard]] std::optional<Option> next() noexcept {
        while (!rest_.empty()) {
            const auto code = static_cast<DhcpOption>(rest_[0]);
            if (code == DhcpOption::end) return std::nullopt;
            if (code == DhcpOption::pad) {
                rest_ = rest_.subspan(1);
                continue;
            }
            if (rest_.size() < 2 || rest_.size() - 2 < std::to_integer<std::size_t>(rest_[1])) {
                malformed_ = true;
                return std::nullopt;
            }
            const ConstBytes value = rest_.subspan(2, std::to_integer<std::size_t>(rest_[1]));
            rest_ = rest_.subspan(2 + value.size());
            return Option{code, value};
        }
        return std::nullopt;
    }
    // An option promised more bytes than its field has.
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }

  private:
    ConstBytes rest_;
    bool malformed_ = false;
};

// Appends options to the room behind a header. What does not fit is left out and remembered.
class DhcpOptionWriter {
  public:
    explicit DhcpOptionWriter(MutableBytes room) noexcept : room_(room) {}

    // Bytes that a value of SIZE bytes takes; a longer one than 255 is several options (RFC 3396 6).
    [[nodiscard]] static constexpr std::size_t encoded_size(std::size_t size) noexcept {
        return size + kOptionHeader * std::max<std::size_t>(1, (size + kMaxPart - 1) / kMaxPart);
    }
    void put(DhcpOption code, ConstBytes value) noexcept {
        if (room_.size() - used_ < encoded_size(value.size()) + kEndLength) {
            overflowed_ = true;
            return;
        }
        do {
            const ConstBytes part = value.first(std::min(value.size(), kMaxPart));
            room_[used_] = static_cast<std::byte>(code);
            room_[used_ + 1] = static_cast<std::byte>(part.size());
            store_bytes(room_, used_ + kOptionHeader, part);
            used_ += kOptionHeader + part.size();
            value = value.subspan(part.size());
        } while (!value.empty());
    }
    template <typename T>
    requires(std::is_trivially_copyable_v<T> &&
             !std::convertible_to<const T&, ConstBytes>) void put(DhcpOption code, const T& value) noexcept {
        put(code, std::as_bytes(std::span(&value, 1)));
    }
    void put_text(DhcpOption code, std::string_view text) noexcept {
        put(code, std::as_bytes(std::span(text)));
    }

    // Writes `end`; returns the bytes used.
    std::size_t finish() noexcept {
        room_[used_++] = static_cast<std::byte>(DhcpOption::end);
        return used_;
    }
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

  private:
    static constexpr std::size_t kEndLength = 1;
    static constexpr std::size_t kOptionHeader = 2;
    static constexpr std::size_t kMaxPart = 255;
    MutableBytes room_;  // at least one byte
    std::size_t used_ = 0;
    bool overflowed_ = false;
};

}  // namespace rouse::wire
