#pragma once
// DPDK devices made of software. EAL starts once per process, in ordinary pages.

#include "dataplane/port/dpdk_device.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rouse::port {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kShortest = 60;
constexpr std::size_t kLongest = DpdkPort::kFrameBytes;

inline DpdkOptions ordinary_pages() {
    DpdkOptions options;
    options.eal_arguments = "--no-huge -m 128";
    return options;
}

inline DpdkDevice open_or_throw(const std::string& device, unsigned queues = 1,
                                const DpdkOptions& options = ordinary_pages()) {
    auto opened = DpdkDevice::open(device, queues, options);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
}

inline std::string refusal_of(const std::string& device, unsigned queues = 1) {
    const auto opened = DpdkDevice::open(device, queues, ordinary_pages());
    return opened ? "" : opened.error().message;
}

inline Bytes numbered(std::uint32_t n, std::size_t size = kShortest) {
    Bytes bytes(size, static_cast<std::byte>(n * 31));
    std::memcpy(bytes.data(), &n, sizeof n);
    return bytes;
}

inline bool send_one(DpdkPort& port, const Bytes& bytes) {
    std::array<Frame, 1> frame;
    if (port.allocate(frame) == 0) return false;
    std::copy(bytes.begin(), bytes.end(), frame[0].room().begin());
    frame[0].length = static_cast<std::uint32_t>(bytes.size());
    return port.send(frame) == 1;
}

// What comes within five seconds, COUNT frames at most.
inline std::vector<Bytes> receive(DpdkPort& port, std::size_t count, DpdkPort* sender = nullptr) {
    std::vector<Bytes> received;
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
         received.size() < count && std::chrono::steady_clock::now() < end;) {
        std::array<Frame, kBurst> frames;
        const std::size_t n = port.receive(frames);
        for (std::size_t i = 0; i < n; ++i)
            received.emplace_back(frames[i].bytes().begin(), frames[i].bytes().end());
        port.release(std::span(frames).first(n));
        if (sender != nullptr) sender->flush();
        if (n == 0) std::this_thread::yield();
    }
    return received;
}

}  // namespace rouse::port
