#pragma once
// DHCPv6 for one worker: the records that speak for a message's sender, the answer into a frame, the events.
// One registration serves both families, so counters and events are those of DHCPv4.

#include "dataplane/dhcp6/boot_url.hpp"
#include "dataplane/dhcp6/identity.hpp"
#include "dataplane/dhcp6/responder.hpp"
#include "dataplane/worker/dhcp_service.hpp"

namespace rouse::worker {

class Dhcp6Service {
  public:
    Dhcp6Service(const wire::Self& self, const wire::Self6& self6, Directory& directory,
                 WorkerCounters& counters, Reporter& reporter) noexcept
        : self_(self),
          self6_(self6),
          server_id_(dhcp6::server_duid(self.mac)),
          directory_(&directory),
          counters_(&counters),
          reporter_(&reporter) {}

    using Outcome = DhcpService::Outcome;
    // Handles a datagram to port 547. An answer is written into ROOM, a whole frame's. `is_replay`: it waited
    // for a lease, and asks for none again.
    Outcome receive(const wire::Datagram6& datagram, std::uint64_t now_unix, bool is_replay,
                    wire::MutableBytes room) noexcept;

  private:
    // What there is to boot; lives as long as the answer is written.
    struct BootFile {
        dhcp::BootName name;
        dhcp6::BootUrl url;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] const store::NetworkRecord* network_of(const dhcp6::Message& message,
                                                         const store::HostRecord& host) noexcept;
    [[nodiscard]] bool arrived_on(const dhcp6::Message& message,
                                  const store::NetworkRecord& network) const noexcept;
    [[nodiscard]] BootFile boot_file_for(const dhcp6::Message& message, const MacAddress& mac,
                                         const dhcp6::Facts& facts) noexcept;
    bool ask_for_lease(const dhcp6::Message& message, const MacAddress& mac, const dhcp6::Facts& facts,
                       bool is_replay) noexcept;
    void report_received(const dhcp6::Message& message, const MacAddress& mac) noexcept;
    void report_outcome(const dhcp6::Message& message, const MacAddress& mac, const dhcp6::Facts& facts,
                        const dhcp6::Answer& answer, std::string_view boot_file) noexcept;

    wire::Self self_;
    wire::Self6 self6_;
    std::array<std::byte, sizeof(wire::DuidLinkLayer)> server_id_;
    Directory* directory_;
    WorkerCounters* counters_;
    Reporter* reporter_;
};

}  // namespace rouse::worker
