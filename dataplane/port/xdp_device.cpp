#include "dataplane/port/xdp_device.hpp"

#include <algorithm>

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::port {
namespace {

// Of the queues that INTERFACE has, what is wrong with serving QUEUES of them.
Result<void> check_queues(const Interface& interface, unsigned queues) {
    const unsigned has = interface.receive_queues;
    const std::string what = "interface " + interface.name + " spreads its frames over " +
                             std::to_string(has) + (has == 1 ? " queue" : " queues");
    const auto have = [&](unsigned wanted) {
        const std::string n = std::to_string(wanted);
        return "`ethtool -L " + interface.name +
               (interface.queues_are_combined ? " combined " + n + "`" : " rx " + n + " tx " + n + "`");
    };
    if (queues == 0 && has > XDP_FILTER_MAX_QUEUES)
        return fail(what + ", more than can be served: " + have(XDP_FILTER_MAX_QUEUES));
    if (queues != 0 && queues != has)
        return fail(what + " and " + std::to_string(queues) +
                    " would be served: set dataplane.workers to as many, or the interface by " +
                    have(queues));
    return {};
}

Result<void> check_usable(const Interface& interface, unsigned queues) {
    if (!interface.is_up)
        return fail("interface " + interface.name + " is down; bring it up: `ip link set dev " +
                    interface.name + " up`");
    return check_queues(interface, queues);
}

}  // namespace

XdpDevice::Membership::~Membership() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> XdpDevice::Membership::add(const std::string& interface, const MacAddress& group) {
    if (fd_ < 0) fd_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);  // protocol 0: it receives nothing
    if (fd_ < 0) return fail_errno("cannot open a packet socket for the groups of " + interface);
    packet_mreq request{};
    request.mr_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    request.mr_type = PACKET_MR_MULTICAST;
    request.mr_alen = sizeof group;
    std::copy(group.octets.begin(), group.octets.end(), request.mr_address);
    if (::setsockopt(fd_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) != 0)
        return fail_errno("cannot join the Ethernet group " + group.to_string() + " on " + interface);
    return {};
}

Result<XdpDevice> XdpDevice::open(const std::string& name, unsigned queues, const XdpOptions& options) {
    auto interface = query_interface(name);
    if (!interface) return tl::unexpected(interface.error());
    if (auto usable = check_usable(*interface, queues); !usable) return tl::unexpected(usable.error());
    auto program = ebpf::XdpProgram::attach(name, options.mode, options.allow_list_size);
    if (!program) return tl::unexpected(program.error());

    XdpDevice device(std::move(*interface), std::move(*program), options.remark);
    const unsigned count = device.interface_.receive_queues;
    device.keeps_flows_together_ = count == 1 || hash_by_address_pair(name);
    for (std::uint32_t queue = 0; queue < count; ++queue) {
        auto port = XdpPort::open(device.interface_, queue, *device.program_, options);
        if (!port) return tl::unexpected(port.error());
        device.ports_.push_back(std::move(*port));
    }
    return device;
}

Result<void> XdpDevice::join(std::span<const MacAddress> groups) {
    for (const MacAddress& group : groups)
        if (auto joined = membership_.add(interface_.name, group); !joined) return joined;
    return {};
}

std::string XdpDevice::describe() const {
    std::string text = "xdp:" + interface_.name + ", " + to_string(program_->mode()) + " mode, " +
                       (ports_.front().is_zero_copy() ? "zero-copy" : "copy");
    if (ports_.size() > 1)
        text += ", " + std::to_string(ports_.size()) + " queues" +
                (keeps_flows_together_ ? " by address pair" : ", sorted in software");
    if (!program_->native_refusal().empty()) text += "; no native mode: " + program_->native_refusal();
    if (!remark_.empty()) text += "; " + remark_;
    return text;
}

}  // namespace rouse::port
