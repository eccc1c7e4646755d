#pragma once
// Who we are on the link, for one worker: ARP, echo, neighbour and router solicitations, advertisements.

#include "dataplane/neighbour/advertisement_timer.hpp"
#include "dataplane/neighbour/icmpv6_responder.hpp"
#include "dataplane/neighbour/ipv4_responder.hpp"
#include "dataplane/worker/directory.hpp"

namespace rouse::worker {

// Answers go into ROOM, a whole frame's, and their length into FRAME_LENGTH. Anything but DropReason::none:
// no answer, and why. Lookups need the directory's snapshot.
class NeighbourService {
  public:
    struct Options {
        bool advertise = true;        // answer router solicitations
        bool unasked = true;          // and advertise without any: one worker of the device does
        bool owns_interface = false;  // no kernel does the rest
        std::uint64_t seed = 1;       // not 0; of the advertisements' intervals
    };
    NeighbourService(const wire::Self& self, const wire::Self6& self6, Directory& directory,
                     const Options& options) noexcept
        : self_(self), self6_(self6), directory_(&directory), options_(options), timer_(options.seed) {}

    // Off while DHCP is switched off: advertisements send machines there.
    void advertise_routers(bool on) noexcept { is_on_ = on; }

    DropReason receive_arp(wire::ConstBytes frame, wire::MutableBytes room,
                           std::size_t& frame_length) const noexcept;
    // FRAME is IPv4, and valid but for not being UDP.
    DropReason receive_icmp(wire::ConstBytes frame, wire::MutableBytes room,
                            std::size_t& frame_length) const noexcept;
    DropReason receive_icmpv6(const wire::Packet6& packet, wire::MutableBytes room,
                              std::size_t& frame_length) noexcept;

    // Something may be to be said without being asked.
    [[nodiscard]] bool is_due(std::uint64_t now_ns) const noexcept {
        return options_.advertise && options_.unasked && timer_.is_due(now_ns);
    }
    // Then: writes an advertisement to all nodes into ROOM and returns its frame's length, or 0.
    std::size_t advertise(std::uint64_t now_ns, wire::MutableBytes room) noexcept;

  private:
    [[nodiscard]] const store::NetworkRecord* own_network() noexcept {
        return directory_->network_at(self_.address);
    }

    wire::Self self_;
    wire::Self6 self6_;
    Directory* directory_;
    Options options_;
    neighbour::AdvertisementTimer timer_;
    bool is_on_ = true;
};

}  // namespace rouse::worker
