#pragma once
// DHCP for one worker: the records that speak for a message's sender, the answer into a frame, the events.

#include "dataplane/dhcp/responder.hpp"
#include "dataplane/worker/directory.hpp"
#include "dataplane/worker/reporter.hpp"

namespace rouse::worker {

class DhcpService {
  public:
    DhcpService(const wire::Self& self, Directory& directory, WorkerCounters& counters, Reporter& reporter) noexcept
        : self_(self), directory_(&directory), counters_(&counters), reporter_(&reporter) {}

    // Handles a datagram to port 67 or 4011. The answer, if there is one, is written into ROOM (a whole frame's)
    // and its length stored in FRAME_LENGTH; 0: none is due. Anything but DropReason::none: no answer, and why.
    DropReason receive(const wire::Datagram& datagram, std::uint64_t now_unix, wire::MutableBytes room,
                       std::size_t& frame_length) noexcept;

  private:
    void count_received(wire::DhcpType type) noexcept;
    void count_sent(wire::DhcpType type) noexcept;
    [[nodiscard]] const store::NetworkRecord* network_of(const dhcp::Message& message,
                                                         const store::HostRecord& host) noexcept;
    [[nodiscard]] std::uint64_t size_of(const MacAddress& mac, const store::HostRecord& host,
                                        std::string_view name) const noexcept;
    void report_received(const dhcp::Message& message, const dhcp::Facts& facts) noexcept;
    void report_outcome(const dhcp::Message& message, const dhcp::Facts& facts, const dhcp::Answer& answer) noexcept;

    wire::Self self_;
    Directory* directory_;
    WorkerCounters* counters_;
    Reporter* reporter_;
};

}  // namespace rouse::worker
