#pragma once
// Reads the frames of a classic pcap file (little endian, Ethernet), as the fixtures are.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace rouse::test {

inline std::vector<std::vector<std::byte>> read_pcap(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto word = [&](std::size_t offset) {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes.data() + offset, sizeof value);
        return value;
    };
    if (bytes.size() < 24 || (word(0) != 0xa1b2c3d4 && word(0) != 0xa1b23c4d))
        throw std::runtime_error("not a pcap file: " + path);
    std::vector<std::vector<std::byte>> frames;
    for (std::size_t at = 24; at + 16 <= bytes.size();) {
        const std::size_t length = word(at + 8);
        at += 16;
        if (at + length > bytes.size()) break;
        const auto* start = reinterpret_cast<const std::byte*>(bytes.data() + at);
        frames.emplace_back(start, start + length);
        at += length;
    }
    return frames;
}

}  // namespace rouse::test
