#pragma once
// A TFTP client as small as the RFCs allow, to hold the server against: packets and time in, packets out.

#include "dataplane/wire/tftp.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rouse::test {

class TftpClient {
  public:
    // How it answers a block that it did not expect: EDK2 acknowledges the last good one each time, iPXE and
    // U-Boot once per gap, the RFCs ask for no answer at all.
    enum class Gap { acknowledge_each, acknowledge_once, wait };
    struct Options {
        std::string name;
        std::string mode = "octet";
        wire::tftp::Options ask{};
        Gap gap = Gap::acknowledge_each;
        std::uint64_t retry_ms = 300;
        bool rolls_to_one = false;  // block 65535 is followed by 1
    };
    using Packet = std::vector<std::byte>;

    explicit TftpClient(Options options) : options_(std::move(options)) {}

    Packet start(std::uint64_t now_ms) {
        last_sent_.resize(600);
        last_sent_.resize(wire::tftp::write_request(last_sent_, wire::tftp::Opcode::rrq, options_.name,
                                                    options_.mode, options_.ask));
        deadline_ms_ = now_ms + options_.retry_ms;
        return last_sent_;
    }

    std::optional<Packet> receive(std::uint64_t now_ms, wire::tftp::Bytes packet) {
        using wire::tftp::Opcode;
        switch (static_cast<Opcode>(wire::tftp::read_opcode(packet).value_or(0))) {
            case Opcode::oack:
                return accept(now_ms, *wire::tftp::read_oack(packet));
            case Opcode::data:
                return data(now_ms, *wire::tftp::read_block(packet), packet.subspan(4));
            case Opcode::error:
                if (!is_done_) failure_ = wire::tftp::read_error(packet)->text;
                return std::nullopt;
            default:
                failure_ = "the server sent what only a client sends";
                return std::nullopt;
        }
    }

    // Asks again, when nothing came for a while: for the answer, or for what follows the last good block.
    std::optional<Packet> tick(std::uint64_t now_ms) {
        if (is_done_ || !failure_.empty() || now_ms < deadline_ms_) return std::nullopt;
        ++timeouts_;
        if (has_started_) return acknowledge(now_ms);
        deadline_ms_ = now_ms + options_.retry_ms;
        return last_sent_;
    }

    [[nodiscard]] bool is_done() const { return is_done_; }
    [[nodiscard]] const std::string& failure() const { return failure_; }
    [[nodiscard]] const std::string& content() const { return content_; }
    [[nodiscard]] std::uint64_t blocks() const { return expected_ - 1; }
    [[nodiscard]] std::uint64_t timeouts() const { return timeouts_; }
    [[nodiscard]] std::uint16_t window() const { return window_; }
    [[nodiscard]] std::uint64_t deadline_ms() const { return deadline_ms_; }

  private:
    std::optional<Packet> accept(std::uint64_t now_ms, const wire::tftp::Options& offered) {
        if (expected_ != 1) return std::nullopt;
        const auto more = [](const auto& got, const auto& asked) { return got && (!asked || *got > *asked); };
        if (more(offered.block_size, options_.ask.block_size) ||
            more(offered.window_size, options_.ask.window_size) || offered.timeout != options_.ask.timeout ||
            (offered.file_size && !options_.ask.file_size)) {
            failure_ = "the server offered what was not asked for";
            return std::nullopt;
        }
        block_size_ = offered.block_size.value_or(wire::tftp::kDefaultBlockSize);
        window_ = offered.window_size.value_or(1);
        has_started_ = true;
        return acknowledge(now_ms);
    }

    std::optional<Packet> data(std::uint64_t now_ms, std::uint16_t block, wire::tftp::Bytes bytes) {
        if (is_done_) {
            // The last acknowledgement was lost.
            if (block == number_of(expected_ - 1)) return last_sent_;
            return std::nullopt;
        }
        if (block != number_of(expected_)) return gap(now_ms);
        if (bytes.size() > block_size_) {
            failure_ = "a block is too long";
            return std::nullopt;
        }
        has_started_ = true;
        content_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        ++expected_;
        has_told_gap_ = false;
        deadline_ms_ = now_ms + options_.retry_ms;
        is_done_ = bytes.size() < block_size_;
        if (++since_ack_ >= window_ || is_done_) return acknowledge(now_ms);
        return std::nullopt;
    }

    std::optional<Packet> gap(std::uint64_t now_ms) {
        if (!has_started_ || options_.gap == Gap::wait) return std::nullopt;
        if (options_.gap == Gap::acknowledge_once && has_told_gap_) return std::nullopt;
        has_told_gap_ = true;
        return acknowledge(now_ms);
    }

    // What the wire carries for it.
    [[nodiscard]] std::uint16_t number_of(std::uint64_t block) const {
        if (!options_.rolls_to_one || block == 0) return static_cast<std::uint16_t>(block);
        return static_cast<std::uint16_t>((block - 1) % 0xffff + 1);
    }

    Packet acknowledge(std::uint64_t now_ms) {
        last_sent_.resize(4);
        last_sent_.resize(wire::tftp::write_ack(last_sent_, number_of(expected_ - 1)));
        since_ack_ = 0;
        deadline_ms_ = now_ms + options_.retry_ms;
        return last_sent_;
    }

    Options options_;
    std::string content_;
    std::string failure_;
    Packet last_sent_;
    std::uint64_t expected_ = 1;  // block, without wrapping
    std::uint64_t deadline_ms_ = 0;
    std::uint64_t timeouts_ = 0;
    std::uint16_t block_size_ = wire::tftp::kDefaultBlockSize;
    std::uint16_t window_ = 1;
    std::uint16_t since_ack_ = 0;
    bool has_started_ = false;
    bool has_told_gap_ = false;
    bool is_done_ = false;
};

}  // namespace rouse::test
