#pragma once
// DHCP for one worker: the records that speak for a message's sender, the answer into a frame, the events.

#include "dataplane/dhcp/responder.hpp"
#include "dataplane/worker/directory.hpp"
#include "dataplane/worker/reporter.hpp"

namespace rouse::worker {

class DhcpService {
  public:
    DhcpService(const wire::Self& self, Directory& directory, WorkerCounters& counters,
                Reporter& reporter) noexcept
        : self_(self), directory_(&directory), counters_(&counters), reporter_(&reporter) {}

    struct Outcome {
        DropReason drop = DropReason::none;  // other than none: no answer, and why
        std::size_t frame_length = 0;        // of the answer in ROOM; 0: none is due
        // The sender needs a lease that the management plane has been asked for: try again when it has
        // committed.
        std::optional<MacAddress> wants_lease{};
    };
    // Handles a datagram to port 67 or 4011. An answer is written into ROOM, a whole frame's. `is_replay`: it
    // waited for a lease, and asks for none again.
    Outcome receive(const wire::Datagram& datagram, std::uint64_t now_unix, bool is_replay,
                    wire::MutableBytes room) noexcept;

    // Handles a datagram to port 68: another server's answer to its client.
    DropReason overhear(const wire::Datagram& datagram) noexcept;

  private:
    void count_received(wire::DhcpType type) noexcept;
    void count_sent(wire::DhcpType type) noexcept;
    Outcome answer(const wire::Datagram& datagram, const dhcp::Message& message, dhcp::Facts& facts,
                   wire::MutableBytes room) noexcept;
    // True when it is a stranger on a network that serves them, and the management plane was told of it.
    bool ask_for_lease(const dhcp::Message& message, const dhcp::Facts& facts, Ipv4Address arrived,
                       bool is_replay) noexcept;
    void notice_other_server(const dhcp::Message& message) noexcept;
    [[nodiscard]] std::uint64_t size_of(const MacAddress& mac, const store::HostRecord& host,
                                        std::string_view name) const noexcept;
    void report_received(const dhcp::Message& message, const dhcp::Facts& facts) noexcept;
    void report_outcome(const dhcp::Message& message, const dhcp::Facts& facts,
                        const dhcp::Answer& answer) noexcept;

    wire::Self self_;
    Directory* directory_;
    WorkerCounters* counters_;
    Reporter* reporter_;
};

}  // namespace rouse::worker
