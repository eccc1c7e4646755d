#pragma once
// One port of each kind, with the machines' end of its cable in the test's hands.

#include "dataplane/port/dpdk_device.hpp"
#include "dataplane/port/xdp_device.hpp"
#include "tests/support/veth.hpp"
#include "tests/support/worker_fixture.hpp"

#include <filesystem>
#include <thread>

namespace rouse::test {

class MemoryRig {
  public:
    using PortType = port::MemoryPort;
    [[nodiscard]] std::string refusal() const { return {}; }  // why there is no such port here
    [[nodiscard]] PortType& port() { return port_; }
    bool say(const Bytes& frame) { return port_.inject(frame); }
    [[nodiscard]] std::vector<Bytes> heard() { return port_.take_sent(); }

  private:
    PortType port_;
};

// A veth; the kernel, which keeps it, has the server's address, and knows the machines'.
class XdpRig {
  public:
    using PortType = port::XdpPort;
    XdpRig() {
        if (!veth_.error().empty()) return;
        must(run("ip address add 10.0.0.1/8 dev rouse0"));
        wire_.emplace(Veth::kWire);
        device_.emplace(must(port::XdpDevice::open(Veth::kPort, 1, {})));
        for (std::uint32_t machine = 0; machine < 10; ++machine)
            must(run("ip neighbour replace " + ScratchStore::address_of(machine).to_string() + " lladdr " +
                     ScratchStore::mac_of(machine).to_string() + " dev rouse0"));
    }
    [[nodiscard]] std::string refusal() const { return veth_.error(); }
    [[nodiscard]] PortType& port() { return device_->ports().front(); }
    bool say(const Bytes& frame) { return wire_->send(frame); }
    [[nodiscard]] std::vector<Bytes> heard() {
        std::vector<Bytes> frames;
        while (auto frame = wire_->receive(std::chrono::milliseconds(0))) frames.push_back(std::move(*frame));
        return frames;
    }

  private:
    static Result<void> run(const std::string& command) {
        return run_command(command) ? Result<void>{} : fail("failed: " + command);
    }
    Veth veth_;
    std::optional<PacketSocket> wire_;
    std::optional<port::XdpDevice> device_;
};

// Both ends of a memif.
class DpdkRig {
  public:
    using PortType = port::DpdkPort;
    DpdkRig() {
        meet(client(), port());
        meet(port(), client());
    }
    ~DpdkRig() { std::filesystem::remove(socket()); }
    DpdkRig(const DpdkRig&) = delete;
    DpdkRig& operator=(const DpdkRig&) = delete;

    [[nodiscard]] std::string refusal() const { return {}; }
    [[nodiscard]] PortType& port() { return server_.ports().front(); }
    bool say(const Bytes& frame) { return transmit(client(), frame); }
    [[nodiscard]] std::vector<Bytes> heard() {
        std::array<port::Frame, port::kBurst> frames;
        const std::size_t n = client().receive(frames);
        std::vector<Bytes> copies;
        for (const port::Frame& frame : std::span(frames).first(n))
            copies.emplace_back(frame.bytes().begin(), frame.bytes().end());
        client().release(std::span(frames).first(n));
        return copies;
    }

  private:
    static std::string socket() {
        return std::filesystem::temp_directory_path() / ("rouse-protocols-" + std::to_string(::getpid()));
    }
    static port::DpdkDevice open(const std::string& name, const std::string& role) {
        return must(
            port::DpdkDevice::open(name + ",role=" + role + ",socket=" + socket() + ",socket-abstract=no", 1,
                                   {.eal_arguments = "--no-huge -m 128"}));
    }
    static bool transmit(PortType& port, const Bytes& bytes) {
        std::array<port::Frame, 1> frame;
        if (port.allocate(frame) == 0) return false;
        std::copy(bytes.begin(), bytes.end(), frame[0].data);
        frame[0].length = static_cast<std::uint32_t>(bytes.size());
        const bool is_sent = port.send(frame) == 1;
        port.flush();
        return is_sent;
    }
    // They find each other on a thread of DPDK's: until then what is sent is lost.
    static void meet(PortType& from, PortType& to) {
        std::array<port::Frame, port::kBurst> frames;
        for (int tries = 0; tries < 500; ++tries) {
            transmit(from, Bytes(60));
            const std::size_t n = to.receive(frames);
            to.release(std::span(frames).first(n));
            if (n > 0) return drain(to);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        throw std::runtime_error("the two ends of the memif did not find each other");
    }
    static void drain(PortType& port) {
        std::array<port::Frame, port::kBurst> frames;
        while (const std::size_t n = port.receive(frames)) port.release(std::span(frames).first(n));
    }
    [[nodiscard]] PortType& client() { return client_.ports().front(); }

    port::DpdkDevice server_ = open("net_memif0", "server");
    port::DpdkDevice client_ = open("net_memif1", "client");
};

}  // namespace rouse::test
