#pragma once
// Frames into a pcap file, for Wireshark and tcpdump. For debugging, not for the packet path: it writes
// through.

#include "shared/result.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct pcap;
struct pcap_dumper;

namespace rouse::port {

class Capture {
  public:
    // Replaces the file if there is one.
    [[nodiscard]] static Result<Capture> open(const std::string& path);

    // One Ethernet frame, now (CLOCK_REALTIME).
    void write(std::span<const std::byte> frame) noexcept;

  private:
    struct Close {
        void operator()(pcap* handle) const noexcept;
        void operator()(pcap_dumper* file) const noexcept;
    };
    std::unique_ptr<pcap, Close> format_;
    std::unique_ptr<pcap_dumper, Close> file_;
};

}  // namespace rouse::port
