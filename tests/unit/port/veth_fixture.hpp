#pragma once
// A virtual cable with the port under test at one end and a raw socket at the other.

#include "shared/endian.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/privileges.hpp"
#include "tests/support/veth.hpp"

#include <chrono>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

namespace rouse::port {

using test::Bytes;
using test::PacketBuilder;
using test::PacketSocket;
using test::Veth;

constexpr auto kPatience = std::chrono::seconds(5);

// Repeats STEP until it returns true or patience ends.
template <typename Step>
bool eventually(Step&& step) {
    for (const auto end = std::chrono::steady_clock::now() + kPatience;
         std::chrono::steady_clock::now() < end;) {
        if (step()) return true;
        std::this_thread::yield();
    }
    return false;
}

// A TFTP request of SIZE bytes with NUMBER in it.
inline Bytes request(std::uint32_t number, std::size_t size) {
    const be32 wire(number);
    return PacketBuilder()
        .eth()
        .ipv4()
        .udp({.destination_port = 69})
        .payload(std::as_bytes(std::span(&wire, 1)))
        .payload(size - 46, static_cast<std::byte>(number))
        .build();
}

class OnVeth : public ::testing::Test {
  protected:
    void SetUp() override {
        veth_.emplace();
        ROUSE_NEEDS_PRIVILEGES(veth_->error().empty(), veth_->error());
    }
    std::optional<Veth> veth_;
};

}  // namespace rouse::port
