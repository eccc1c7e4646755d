#pragma once
// TFTP packets: RFC 1350 with the options of RFC 2347, 2348 (blksize), 2349 (timeout, tsize) and 7440
// (windowsize). Views over the caller's bytes; nothing is allocated, kept or read beyond the span.

#include "shared/endian.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace rouse::wire::tftp {

using Bytes = std::span<const std::byte>;
using Room = std::span<std::byte>;

inline constexpr std::uint16_t kPort = 69;
inline constexpr std::size_t kHeaderBytes = 4;        // of DATA and ACK: opcode, block number
inline constexpr std::size_t kMaxRequestBytes = 512;  // RFC 2347: "the maximum size of a request packet"
inline constexpr std::uint16_t kDefaultBlockSize = 512;
inline constexpr std::uint16_t kMinBlockSize = 8;      // RFC 2348
inline constexpr std::uint16_t kMaxBlockSize = 65464;  // RFC 2348

enum class Opcode : std::uint16_t { rrq = 1, wrq = 2, data = 3, ack = 4, error = 5, oack = 6 };

enum class ErrorCode : std::uint16_t {
    not_defined = 0,
    file_not_found = 1,
    access_violation = 2,
    disk_full = 3,
    illegal_operation = 4,
    unknown_transfer_id = 5,
    file_exists = 6,
    no_such_user = 7,
    option_negotiation = 8,  // RFC 2347
};

enum class Mode : std::uint8_t { octet, netascii, mail, unknown };

// What is asked for in a request, or agreed to in an OACK.
struct Options {
    std::optional<std::uint16_t> block_size{};   // bytes, 8 to 65464
    std::optional<std::uint8_t> timeout{};       // seconds, 1 to 255
    std::optional<std::uint64_t> file_size{};    // tsize, bytes; 0 in a read request
    std::optional<std::uint16_t> window_size{};  // blocks, at least 1

    [[nodiscard]] constexpr bool any() const noexcept {
        return block_size || timeout || file_size || window_size;
    }
    friend constexpr bool operator==(const Options&, const Options&) noexcept = default;
};

struct Request {
    std::string_view name;  // as sent, not empty
    Mode mode = Mode::unknown;
    Options options{};
};

struct ErrorMessage {
    std::uint16_t code = 0;
    std::string_view text;  // as sent: any bytes
};

namespace detail {

// Takes the next NUL-terminated string off the front; nothing when there is no NUL.
[[nodiscard]] inline std::optional<std::string_view> take_string(Bytes& rest) noexcept {
    const void* nul = rest.empty() ? nullptr : std::memchr(rest.data(), 0, rest.size());
    if (nul == nullptr) return std::nullopt;
    const auto length = static_cast<std::size_t>(static_cast<const std::byte*>(nul) - rest.data());
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), length);
    rest = rest.subspan(length + 1);
    return text;
}

// ASCII only, independent of any locale (RFC 2347: option names are case-insensitive).
[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view lower) noexcept {
    return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
    });
}

// A decimal number and nothing else, within [min, max].
template <typename T>
[[nodiscard]] std::optional<T> number(std::string_view text, std::uint64_t min, std::uint64_t max) noexcept {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || stop != end || value < min || value > max)
        return std::nullopt;
    return static_cast<T>(value);
}

// RFC 2347: a value that its option's RFC does not allow is as if the option had not been asked for; so is
// an unknown option. Of an option that is repeated the first valid one counts ("may only be specified once").
inline void set_option(Options& options, std::string_view name, std::string_view value) noexcept {
    if (equal_ignoring_case(name, "blksize")) {
        if (!options.block_size)
            options.block_size = number<std::uint16_t>(value, kMinBlockSize, kMaxBlockSize);
    } else if (equal_ignoring_case(name, "timeout")) {
        if (!options.timeout) options.timeout = number<std::uint8_t>(value, 1, 255);
    } else if (equal_ignoring_case(name, "tsize")) {
        if (!options.file_size) options.file_size = number<std::uint64_t>(value, 0, ~std::uint64_t{0});
    } else if (equal_ignoring_case(name, "windowsize")) {
        if (!options.window_size) options.window_size = number<std::uint16_t>(value, 1, 65535);
    }
}

// Name and value pairs up to the end; false when the last string is not terminated or has no value.
[[nodiscard]] inline bool take_options(Bytes rest, Options& options) noexcept {
    while (!rest.empty()) {
        const auto name = take_string(rest);
        const auto value = take_string(rest);
        if (!name || !value) return false;
        set_option(options, *name, *value);
    }
    return true;
}

[[nodiscard]] inline Mode parse_mode(std::string_view text) noexcept {
    if (equal_ignoring_case(text, "octet")) return Mode::octet;
    if (equal_ignoring_case(text, "netascii")) return Mode::netascii;
    if (equal_ignoring_case(text, "mail")) return Mode::mail;
    return Mode::unknown;
}

// Appends to a packet; once something did not fit, size() is 0.
class Writer {
  public:
    explicit Writer(Room room) noexcept : room_(room) {}

    Writer& number16(std::uint16_t value) noexcept {
        const be16 wire(value);
        return append(&wire, sizeof wire);
    }
    Writer& string(std::string_view text) noexcept { return append(text.data(), text.size()).append("", 1); }
    Writer& option(std::string_view name, std::uint64_t value) noexcept {
        std::array<char, 20> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        return string(name).string({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    Writer& options(const Options& options) noexcept {
        if (options.block_size) option("blksize", *options.block_size);
        if (options.timeout) option("timeout", *options.timeout);
        if (options.file_size) option("tsize", *options.file_size);
        if (options.window_size) option("windowsize", *options.window_size);
        return *this;
    }
    [[nodiscard]] std::size_t size() const noexcept { return fits_ ? size_ : 0; }

  private:
    Writer& append(const void* bytes, std::size_t count) noexcept {
        fits_ = fits_ && count <= room_.size() - size_;
        if (fits_ && count > 0) {
            std::memcpy(room_.data() + size_, bytes, count);
            size_ += count;
        }
        return *this;
    }
    Room room_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

[[nodiscard]] inline std::uint16_t number16_at(Bytes packet, std::size_t offset) noexcept {
    be16 wire;
    std::memcpy(&wire, packet.data() + offset, sizeof wire);
    return wire.host();
}

}  // namespace detail

// The first two bytes, whatever they hold; nothing when there are fewer.
[[nodiscard]] inline std::optional<std::uint16_t> read_opcode(Bytes packet) noexcept {
    if (packet.size() < 2) return std::nullopt;
    return detail::number16_at(packet, 0);
}

// RRQ and WRQ have one format (RFC 1350 5; options RFC 2347). Nothing when it is longer than
// kMaxRequestBytes, a string is not terminated, an option has no value, or the name is empty.
[[nodiscard]] inline std::optional<Request> read_request(Bytes packet) noexcept {
    if (packet.size() < 2 || packet.size() > kMaxRequestBytes) return std::nullopt;
    Bytes rest = packet.subspan(2);
    const auto name = detail::take_string(rest);
    const auto mode = detail::take_string(rest);
    if (!name || !mode || name->empty()) return std::nullopt;
    Request request{*name, detail::parse_mode(*mode)};
    if (!detail::take_options(rest, request.options)) return std::nullopt;
    return request;
}

// The block number of an ACK or DATA; nothing when it is cut short.
[[nodiscard]] inline std::optional<std::uint16_t> read_block(Bytes packet) noexcept {
    if (packet.size() < kHeaderBytes) return std::nullopt;
    return detail::number16_at(packet, 2);
}

// A message that is not terminated ends with the packet: some clients leave the NUL out.
[[nodiscard]] inline std::optional<ErrorMessage> read_error(Bytes packet) noexcept {
    if (packet.size() < kHeaderBytes) return std::nullopt;
    const std::string_view text(reinterpret_cast<const char*>(packet.data()) + kHeaderBytes,
                                packet.size() - kHeaderBytes);
    return ErrorMessage{detail::number16_at(packet, 2), text.substr(0, text.find('\0'))};
}

[[nodiscard]] inline std::optional<Options> read_oack(Bytes packet) noexcept {
    Options options;
    if (packet.size() < 2 || !detail::take_options(packet.subspan(2), options)) return std::nullopt;
    return options;
}

// Writers return the packet's length, or 0 when it does not fit.
[[nodiscard]] inline std::size_t write_request(Room room, Opcode opcode, std::string_view name,
                                               std::string_view mode, const Options& options) noexcept {
    return detail::Writer(room)
        .number16(static_cast<std::uint16_t>(opcode))
        .string(name)
        .string(mode)
        .options(options)
        .size();
}

[[nodiscard]] inline std::size_t write_ack(Room room, std::uint16_t block) noexcept {
    return detail::Writer(room).number16(static_cast<std::uint16_t>(Opcode::ack)).number16(block).size();
}

// The four bytes in front of a block's bytes.
[[nodiscard]] inline std::size_t write_data_header(Room room, std::uint16_t block) noexcept {
    return detail::Writer(room).number16(static_cast<std::uint16_t>(Opcode::data)).number16(block).size();
}

// The message is NUL-terminated, as GRUB insists.
[[nodiscard]] inline std::size_t write_error(Room room, ErrorCode code, std::string_view message) noexcept {
    return detail::Writer(room)
        .number16(static_cast<std::uint16_t>(Opcode::error))
        .number16(static_cast<std::uint16_t>(code))
        .string(message)
        .size();
}

[[nodiscard]] inline std::size_t write_oack(Room room, const Options& options) noexcept {
    return detail::Writer(room).number16(static_cast<std::uint16_t>(Opcode::oack)).options(options).size();
}

}  // namespace rouse::wire::tftp
