#pragma once
// DHCPv6 messages and options (RFC 8415 7 to 9 and 21, RFC 3646, RFC 5970, RFC 6939).

#include "dataplane/wire/bytes.hpp"
#include "shared/addresses.hpp"
#include "shared/endian.hpp"

#include <array>
#include <concepts>
#include <optional>

namespace rouse::wire {

inline constexpr std::uint16_t kDhcp6ClientPort = 546;
inline constexpr std::uint16_t kDhcp6ServerPort = 547;  // relays' too
inline constexpr std::size_t kDhcp6HopCountLimit = 8;   // RFC 8415 7.6
inline constexpr std::size_t kMaximumDuid = 2 + 128;    // RFC 8415 11.1: its type, and at most 128 bytes
inline constexpr std::uint32_t kIntelEnterprise = 343;  // in the vendor classes of UEFI firmware

enum class Dhcp6Type : std::uint8_t {
    none = 0,
    solicit = 1,
    advertise = 2,
    request = 3,
    confirm = 4,
    renew = 5,
    rebind = 6,
    reply = 7,
    release = 8,
    decline = 9,
    reconfigure = 10,
    information_request = 11,
    relay_forward = 12,
    relay_reply = 13,
};

enum class Dhcp6Option : std::uint16_t {
    client_id = 1,
    server_id = 2,
    ia_na = 3,  // identity association for non-temporary addresses
    ia_ta = 4,  // for temporary addresses
    ia_address = 5,
    option_request = 6,
    preference = 7,
    elapsed_time = 8,
    relay_message = 9,
    status_code = 13,
    rapid_commit = 14,
    user_class = 15,
    vendor_class = 16,
    interface_id = 18,
    dns_servers = 23,
    ia_pd = 25,  // identity association for prefix delegation
    boot_file_url = 59,
    boot_file_parameters = 60,
    client_architecture = 61,
    network_interface = 62,
    client_link_layer = 79,
};

enum class Dhcp6Status : std::uint16_t {
    success = 0,
    no_addresses = 2,  // NoAddrsAvail
    no_binding = 3,
    not_on_link = 4,
    use_multicast = 5,
    no_prefixes = 6,  // NoPrefixAvail
};

enum class DuidType : std::uint16_t {
    link_layer_time = 1,
    enterprise = 2,
    link_layer = 3,
    uuid = 4,
};

struct Dhcp6Header {
    Dhcp6Type type;
    std::array<std::uint8_t, 3> transaction;
};
struct Dhcp6RelayHeader {
    Dhcp6Type type;
    std::uint8_t hop_count;
    Ipv6Address link;  // where the client is; unspecified: see the interface identifier
    Ipv6Address peer;  // whom the relay heard: the client, or another relay
};
struct Dhcp6OptionHeader {
    be16 code;
    be16 length;  // of what follows
};
// The fixed parts of options.
struct Dhcp6IaNa {  // IA_PD's too
    be32 id;
    be32 renew;   // T1, seconds
    be32 rebind;  // T2
};
struct Dhcp6IaAddress {
    Ipv6Address address;
    be32 preferred_lifetime;  // seconds
    be32 valid_lifetime;
};
struct DuidLinkLayer {  // RFC 8415 11.4; 11.2 has a time between these
    be16 type;
    be16 hardware_type;
    MacAddress address;
};
static_assert(sizeof(Dhcp6Header) == 4 && sizeof(Dhcp6RelayHeader) == 34 && sizeof(Dhcp6IaNa) == 12 &&
              sizeof(Dhcp6IaAddress) == 24 && sizeof(DuidLinkLayer) == 10);

// Walks the options of a message or of an option that holds options.
class Dhcp6OptionReader {
  public:
    struct Option {
        Dhcp6Option code;
        ConstBytes value;
    };
    explicit Dhcp6OptionReader(ConstBytes options) noexcept : rest_(options) {}

    [[nodiscard]] std::optional<Option> next() noexcept {
        if (rest_.empty()) return std::nullopt;
        const auto header = load<Dhcp6OptionHeader>(rest_);
        malformed_ = !header || rest_.size() - sizeof(Dhcp6OptionHeader) < header->length.host();
        if (malformed_) return std::nullopt;
        const ConstBytes value = rest_.subspan(sizeof(Dhcp6OptionHeader), header->length.host());
        rest_ = rest_.subspan(sizeof(Dhcp6OptionHeader) + value.size());
        return Option{static_cast<Dhcp6Option>(header->code.host()), value};
    }
    // An option promised more bytes than there are.
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }

  private:
    ConstBytes rest_;
    bool malformed_ = false;
};

// Appends headers and options to a message, options within options too. Once something does not fit, nothing
// more is written and that is remembered.
class Dhcp6Writer {
  public:
    explicit Dhcp6Writer(MutableBytes room) noexcept : room_(room) {}

    void append(ConstBytes bytes) noexcept {
        if (overflowed_ || room_.size() - used_ < bytes.size()) {
            overflowed_ = true;
            return;
        }
        store_bytes(room_, used_, bytes);
        used_ += bytes.size();
    }
    template <typename T>
    requires(std::is_trivially_copyable_v<T> && !std::convertible_to<const T&, ConstBytes> &&
             !std::convertible_to<const T&, std::string_view>) void append(const T& value) noexcept {
        append(std::as_bytes(std::span(&value, 1)));
    }
    void append(std::string_view text) noexcept { append(std::as_bytes(std::span(text))); }

    // Everything appended until close() of what open() returned is CODE's value.
    [[nodiscard]] std::size_t open(Dhcp6Option code) noexcept {
        append(Dhcp6OptionHeader{static_cast<std::uint16_t>(code), 0});
        return used_;
    }
    void close(std::size_t opened) noexcept {
        if (overflowed_) return;
        store(room_, opened - sizeof(be16), be16(static_cast<std::uint16_t>(used_ - opened)));
    }
    template <typename... Parts>
    void put(Dhcp6Option code, const Parts&... parts) noexcept {
        const std::size_t value = open(code);
        (append(parts), ...);
        close(value);
    }

    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

  private:
    MutableBytes room_;
    std::size_t used_ = 0;
    bool overflowed_ = false;
};

}  // namespace rouse::wire
