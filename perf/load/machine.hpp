#pragma once
// One simulated machine: all that it remembers.

#include "dataplane/tftp/timer_wheel.hpp"
#include "perf/load/tftp_client.hpp"

namespace rouse::load {

enum class State : std::uint8_t {
    off,
    discovering,  // DISCOVER sent
    choosing,     // OFFER received; there may be more
    requesting,   // REQUEST sent
    resolving,    // ARP request sent
    fetching,     // a TFTP transfer is under way
};

struct Machine {
    std::uint64_t began_ns = 0;    // powered on
    std::uint64_t leasing_ns = 0;  // first DISCOVER of this lease
    std::uint64_t sent_ns = 0;     // its last message
    std::uint64_t request_ns = 0;  // its last TFTP request, first try
    TftpClient tftp;
    tftp::Timer timer;
    std::uint32_t transaction = 0;  // DHCP's xid
    Ipv4Address address;
    Ipv4Address server;    // of DHCP
    Ipv4Address files;     // TFTP's
    Ipv4Address next_hop;  // the server's, or the router's, whose hardware address is:
    MacAddress next_hop_mac;
    std::uint32_t leaves_after = 0;  // blocks; 0: stays
    std::uint16_t port = 0;          // of its last TFTP request
    State state = State::off;
    std::uint8_t attempt = 0;   // of the message in this state, from 1
    std::uint8_t searched = 0;  // names asked for that the kind searches for: some ten at most
    std::uint16_t fetched = 0;  // files
    std::uint8_t program = 0;   // of its kind's: which one runs
    bool has_fetched = false;   // in this program, by TFTP, anything at all
    bool search_is_over = false;
    bool is_probing = false;
    bool is_resent = false;  // the answer to come says nothing of the server's speed
};
static_assert(sizeof(Machine) <= 160, "there may be a hundred thousand");

}  // namespace rouse::load
