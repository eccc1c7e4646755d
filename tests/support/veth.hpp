#pragma once
// A cable of our own: two virtual interfaces joined back to back, in a network namespace that lives and dies
// with the process, and a raw socket to play the machine at the other end. Needs root.

#include "tests/support/packet_builder.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::test {

// Runs COMMAND by the shell; true when it exits 0.
inline bool run_command(const std::string& command) {
    return std::system(command.c_str()) == 0;
}

// The calling thread moves to a fresh namespace; earlier ones end with their last socket.
class Veth {
  public:
    static constexpr const char* kPort = "rouse0";  // the appliance's end
    static constexpr const char* kWire = "wire0";   // the machines' end

    // Of `ip link add`, for the appliance's end and for the machines'. Empty error() when all went well.
    explicit Veth(const std::string& port_options = "", const std::string& wire_options = "") {
        if (::unshare(CLONE_NEWNET) != 0) {
            error_ = "cannot make a network namespace: " + std::string(std::strerror(errno));
            return;
        }
        // IPv6 would announce itself unasked between the frames that a test expects.
        std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
        const std::string port = kPort;
        const std::string wire = kWire;
        if (!run_command("ip link add " + port + " " + port_options + " type veth peer name " + wire + " " +
                         wire_options + " && ip link set " + port + " up && ip link set " + wire + " up"))
            error_ = "cannot make a pair of veth interfaces: are iproute2 and the veth module there?";
    }
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

  private:
    std::string error_;
};

// Raw frames at one end. Closed on destruction.
class PacketSocket {
  public:
    explicit PacketSocket(const char* interface) : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
        const int one = 1;
        const int room = 64 << 20;
        ::setsockopt(fd_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = __builtin_bswap16(ETH_P_ALL);
        address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
        is_bound_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~PacketSocket() { ::close(fd_); }
    PacketSocket(const PacketSocket&) = delete;
    PacketSocket& operator=(const PacketSocket&) = delete;

    [[nodiscard]] bool is_bound() const noexcept { return is_bound_; }
    bool send(const Bytes& frame) const noexcept {
        return ::send(fd_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
    }
    // The next frame, waiting at most PATIENCE for it.
    [[nodiscard]] std::optional<Bytes> receive(
        std::chrono::milliseconds patience = std::chrono::milliseconds(2000)) const {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
        Bytes frame(65536);
        const ssize_t size = ::recv(fd_, frame.data(), frame.size(), 0);
        if (size < 0) return std::nullopt;
        frame.resize(static_cast<std::size_t>(size));
        return frame;
    }

  private:
    int fd_;
    bool is_bound_ = false;
};

}  // namespace rouse::test
