#pragma once
// The TFTP packets that real clients sent, out of the captures in tests/fixtures.

#include "dataplane/wire/udp.hpp"
#include "tests/support/pcap.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace rouse::test {

struct CapturedPacket {
    std::string capture;  // file name
    std::uint16_t port = 0;
    std::vector<std::byte> payload;
};

inline std::vector<CapturedPacket> tftp_captures(const std::string& directory) {
    std::vector<CapturedPacket> packets;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() != ".pcap") continue;
        for (const auto& frame : read_pcap(entry.path())) {
            // Whoever it was for is "us".
            wire::Self self{};
            if (frame.size() < wire::kUdpFrameOverhead) continue;
            std::memcpy(self.mac.octets.data(), frame.data(), 6);
            std::memcpy(&self.address, frame.data() + 30, 4);
            wire::Datagram datagram;
            if (wire::parse_datagram(frame, self, datagram) != DropReason::none) continue;
            if (datagram.destination_port != 69) continue;
            packets.push_back({entry.path().filename(),
                               datagram.source_port,
                               {datagram.payload.begin(), datagram.payload.end()}});
        }
    }
    return packets;
}

}  // namespace rouse::test
