#pragma once
// A Host for the TFTP engine that holds files in memory and collects what is sent. It allocates nothing while
// the engine runs, so that tests may count allocations; what does not fit its frames is "out of frames".

#include "dataplane/tftp/host.hpp"

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rouse::test {

class TftpHost {
  public:
    struct Route {
        std::uint32_t client = 0;
        std::uint16_t server_port = 0;
        std::array<std::byte, 62> header{};  // as heavy as a real one
    };
    struct Packet {
        std::uint64_t client = 0;
        std::uint16_t server_port = 0;
        std::size_t length = 0;
        std::array<std::byte, 2048> payload;

        [[nodiscard]] std::span<const std::byte> bytes() const { return {payload.data(), length}; }
    };
    struct File {
        std::string bytes;
        tftp::Availability availability = tftp::Availability::ready;
        bool is_gone = false;                        // read() fails
        std::size_t awaited_from = ~std::size_t{0};  // bytes from here on come later
        int references = 0;
    };

    explicit TftpHost(std::size_t frames = 256) : packets_(frames) { events.reserve(4096); }

    File& file(const std::string& name) {
        return *files_.try_emplace(name, std::make_unique<File>()).first->second;
    }

    // What was sent since the last time; valid until the engine is used again.
    std::span<const Packet> take() {
        const std::span<const Packet> result(packets_.data(), used_);
        used_ = 0;
        return result;
    }
    [[nodiscard]] std::size_t waiting() const { return used_; }

    // Host. A client is known by its port.
    static Route route_to(const tftp::Peer& peer) { return {peer.port, peer.server_port, {}}; }
    std::optional<MacAddress> identify(const tftp::Peer& peer) {
        if (strangers) return std::nullopt;
        return MacAddress{{2, 0, 0, 0, peer.address.octets[14], peer.address.octets[15]}};
    }
    tftp::Resolution resolve(const MacAddress&, std::string_view name) {
        const auto found = files_.find(name);
        if (found == files_.end()) return {};
        return {found->second->availability, content_of(*found->second), quirks};
    }
    tftp::Availability poll(tftp::Content& content) {
        ++polls;
        return file_of(content).availability;
    }
    void retain(const tftp::Content& content) { ++file_of(content).references; }
    void release(const tftp::Content& content) { --file_of(content).references; }
    ReadResult read(const tftp::Content& content, std::uint64_t offset, std::span<std::byte> out) {
        const File& file = file_of(content);
        if (file.is_gone || offset + out.size() > file.bytes.size()) return ReadResult::gone;
        if (offset + out.size() > file.awaited_from) return ReadResult::later;
        std::memcpy(out.data(), file.bytes.data() + offset, out.size());
        return ReadResult::done;
    }
    std::span<std::byte> reply(const Route& route) {
        if (used_ == packets_.size() || frames_left == 0) return {};
        packets_[used_].client = route.client;
        packets_[used_].server_port = route.server_port;
        return packets_[used_].payload;
    }
    void commit(std::size_t length) {
        if (length == 0) return;
        packets_[used_++].length = length;
        if (frames_left > 0) --frames_left;
    }
    void emit(const Event& event) {
        if (keep_events) events.push_back(event);
    }
    WorkerCounters& counters() { return *counters_; }

    std::vector<Event> events;
    bool keep_events = true;
    bool strangers = false;  // nobody is known
    Quirks quirks{};         // of every machine
    std::size_t frames_left = ~std::size_t{0};
    std::size_t polls = 0;

  private:
    static tftp::Content content_of(const File& file) {
        tftp::Content content{file.bytes.size(), {}};
        const File* const pointer = &file;
        std::memcpy(content.handle.data(), &pointer, sizeof pointer);
        return content;
    }
    static File& file_of(const tftp::Content& content) {
        File* pointer = nullptr;
        std::memcpy(&pointer, content.handle.data(), sizeof pointer);
        return *pointer;
    }

    std::vector<Packet> packets_;
    std::size_t used_ = 0;
    std::map<std::string, std::unique_ptr<File>, std::less<>> files_;
    std::unique_ptr<WorkerCounters> counters_ = std::make_unique<WorkerCounters>();
};

static_assert(tftp::Host<TftpHost>);

}  // namespace rouse::test
