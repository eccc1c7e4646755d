#pragma once
// One machine's TFTP transfer as its kind of loader conducts it (RFC 1350, 2347 to 2349, 7440). Pure: packets
// and time in, packets out; what was fetched is not kept, only its length and its CRC. Small, as there are a
// hundred thousand of them.
//
// The server's port is learnt from its first answer, so one-port servers and those with a port per transfer
// are alike.

#include "perf/load/machine_kind.hpp"

#include <cstdint>

namespace rouse::load {

// A packet, as a client judged it.
enum class Taken : std::uint8_t {
    stray,    // nobody waits for it: an old transfer's, another port's, doubled
    nothing,  // a block that is not the next one
    opened,   // the options are agreed
    block,    // the next block
    end,      // the last block: all is there
    probed,   // the size is known; the transfer that asked for it is over
    missing,  // ERROR 1: there is no such file
    refused,  // another ERROR
    broken,   // against the RFCs: options that nobody asked for, a block too long, a cut packet, a wrong size
};

struct Reply {
    Taken taken = Taken::stray;
    std::size_t length = 0;  // of what is to be sent back, written to the room; 0: nothing
};

class TftpClient {
  public:
    // Begins a transfer of NAME from PORT of ours; returns the length of the request in ROOM (0: it does not
    // fit). IS_PROBE: for the size alone.
    std::size_t start(std::string_view name, const TftpManner& manner, bool is_probe, std::uint16_t port,
                      wire::MutableBytes room) noexcept;
    // What came from SERVER_PORT to port(). The answer, if any, goes into ROOM; no room is as if it got lost.
    Reply receive(wire::ConstBytes packet, std::uint16_t server_port, const TftpManner& manner,
                  wire::MutableBytes room) noexcept;
    // No answer came in time: the last packet again; 0 when this kind leaves that to the server.
    std::size_t resend(std::string_view name, const TftpManner& manner, wire::MutableBytes room) noexcept;
    // Gives up, and tells the server.
    std::size_t abort(wire::MutableBytes room) noexcept;

    [[nodiscard]] bool is_open() const noexcept { return state_ != State::closed; }
    [[nodiscard]] bool is_probe() const noexcept { return is_probe_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    // Where the next packet goes.
    [[nodiscard]] std::uint16_t server_port() const noexcept { return server_port_; }
    // Of what came so far.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint32_t crc() const noexcept { return crc_; }  // CRC-32C (RFC 3720 12.1)
    [[nodiscard]] std::uint32_t blocks() const noexcept { return expected_ - 1; }

  private:
    enum class State : std::uint8_t { closed, asking, receiving };

    Reply open(wire::ConstBytes packet, const TftpManner& manner, wire::MutableBytes room) noexcept;
    Reply take_block(wire::ConstBytes packet, const TftpManner& manner, wire::MutableBytes room) noexcept;
    Reply gap(const TftpManner& manner, wire::MutableBytes room) noexcept;
    Reply break_off(wire::tftp::ErrorCode code, std::string_view why, wire::MutableBytes room) noexcept;
    std::size_t acknowledge(wire::MutableBytes room) noexcept;

    std::uint64_t bytes_ = 0;
    std::uint64_t size_ = 0;  // as the OACK said; kUnknownSize
    std::uint32_t crc_ = 0;
    std::uint32_t expected_ = 1;  // block, without wrapping
    std::uint16_t port_ = 0;
    std::uint16_t server_port_ = 0;
    std::uint16_t block_size_ = 0;
    std::uint16_t window_ = 1;
    std::uint16_t since_ack_ = 0;
    State state_ = State::closed;
    bool is_probe_ = false;
    bool has_told_gap_ = false;
};

}  // namespace rouse::load
