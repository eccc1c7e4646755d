#include "perf/load/tftp_client.hpp"

#include "perf/load/crc.hpp"

namespace rouse::load {
namespace {

namespace tftp = wire::tftp;

constexpr std::uint64_t kUnknownSize = ~std::uint64_t{0};

tftp::Options options_of(const TftpManner& manner, bool is_probe) noexcept {
    tftp::Options options = manner.ask;
    if (is_probe) options.file_size = 0;
    return options;
}

// RFC 2347: a server may lower what was asked for, and agree to nothing else.
bool is_more_than_asked(const tftp::Options& offered, const tftp::Options& asked) noexcept {
    const auto more = [](const auto& got, const auto& wanted) { return got && (!wanted || *got > *wanted); };
    return more(offered.block_size, asked.block_size) || more(offered.window_size, asked.window_size) ||
           (offered.timeout && offered.timeout != asked.timeout) || (offered.file_size && !asked.file_size);
}

}  // namespace

std::size_t TftpClient::start(std::string_view name, const TftpManner& manner, bool is_probe,
                              std::uint16_t port, wire::MutableBytes room) noexcept {
    *this = {};
    size_ = kUnknownSize;
    port_ = port;
    server_port_ = tftp::kPort;
    block_size_ = tftp::kDefaultBlockSize;
    state_ = State::asking;
    is_probe_ = is_probe;
    return resend(name, manner, room);
}

std::size_t TftpClient::resend(std::string_view name, const TftpManner& manner,
                               wire::MutableBytes room) noexcept {
    if (state_ == State::asking)
        return tftp::write_request(room, tftp::Opcode::rrq, name, "octet", options_of(manner, is_probe_));
    return state_ == State::receiving && manner.resends_acknowledgements ? acknowledge(room) : 0;
}

std::size_t TftpClient::abort(wire::MutableBytes room) noexcept {
    return break_off(tftp::ErrorCode::not_defined, "closed", room).length;
}

Reply TftpClient::receive(wire::ConstBytes packet, std::uint16_t server_port, const TftpManner& manner,
                          wire::MutableBytes room) noexcept {
    if (!is_open() || (state_ == State::receiving && server_port != server_port_)) return {};
    if (state_ == State::asking) server_port_ = server_port;
    switch (static_cast<tftp::Opcode>(tftp::read_opcode(packet).value_or(0))) {
        case tftp::Opcode::oack:
            return open(packet, manner, room);
        case tftp::Opcode::data:
            return take_block(packet, manner, room);
        case tftp::Opcode::error: {
            const auto error = tftp::read_error(packet);
            state_ = State::closed;
            const bool is_missing =
                error && error->code == static_cast<std::uint16_t>(tftp::ErrorCode::file_not_found);
            return {.taken = is_missing ? Taken::missing : Taken::refused};
        }
        default:
            return break_off(tftp::ErrorCode::illegal_operation, "unexpected packet", room);
    }
}

Reply TftpClient::open(wire::ConstBytes packet, const TftpManner& manner, wire::MutableBytes room) noexcept {
    // The acknowledgement of the first one was lost: again.
    if (state_ == State::receiving)
        return expected_ == 1 ? Reply{Taken::nothing, acknowledge(room)} : Reply{};
    const auto offered = tftp::read_oack(packet);
    const auto asked = options_of(manner, is_probe_);
    if (!offered || is_more_than_asked(*offered, asked))
        return break_off(tftp::ErrorCode::option_negotiation, "malformed OACK", room);
    size_ = offered->file_size.value_or(kUnknownSize);
    if (is_probe_) {
        const auto reply = break_off(tftp::ErrorCode::option_negotiation, "User aborted the transfer", room);
        return {.taken = Taken::probed, .length = reply.length};
    }
    block_size_ = offered->block_size.value_or(tftp::kDefaultBlockSize);
    window_ = offered->window_size.value_or(1);
    state_ = State::receiving;
    return {.taken = Taken::opened, .length = acknowledge(room)};
}

Reply TftpClient::take_block(wire::ConstBytes packet, const TftpManner& manner,
                             wire::MutableBytes room) noexcept {
    const auto block = tftp::read_block(packet);
    if (!block || packet.size() - tftp::kHeaderBytes > block_size_)
        return break_off(tftp::ErrorCode::illegal_operation, "bad block", room);
    if (is_probe_) {
        // A server without options: the size stays unknown.
        const auto reply = break_off(tftp::ErrorCode::option_negotiation, "no size", room);
        return {.taken = Taken::probed, .length = reply.length};
    }
    if (*block != static_cast<std::uint16_t>(expected_)) return gap(manner, room);
    const auto content = packet.subspan(tftp::kHeaderBytes);
    state_ = State::receiving;
    crc_ = extend_crc(crc_, content);
    bytes_ += content.size();
    ++expected_;
    ++since_ack_;
    has_told_gap_ = false;
    if (content.size() == block_size_)
        return {.taken = Taken::block, .length = since_ack_ >= window_ ? acknowledge(room) : 0};
    state_ = State::closed;
    const bool is_whole = size_ == kUnknownSize || size_ == bytes_;
    return {.taken = is_whole ? Taken::end : Taken::broken, .length = acknowledge(room)};
}

Reply TftpClient::gap(const TftpManner& manner, wire::MutableBytes room) noexcept {
    const bool is_silent = state_ == State::asking || manner.gap == TftpManner::Gap::wait ||
                           (manner.gap == TftpManner::Gap::acknowledge_once && has_told_gap_);
    if (is_silent) return {.taken = Taken::nothing};
    has_told_gap_ = true;
    return {.taken = Taken::nothing, .length = acknowledge(room)};
}

Reply TftpClient::break_off(tftp::ErrorCode code, std::string_view why, wire::MutableBytes room) noexcept {
    state_ = State::closed;
    return {.taken = Taken::broken, .length = tftp::write_error(room, code, why)};
}

std::size_t TftpClient::acknowledge(wire::MutableBytes room) noexcept {
    since_ack_ = 0;
    return tftp::write_ack(room, static_cast<std::uint16_t>(expected_ - 1));
}

}  // namespace rouse::load
