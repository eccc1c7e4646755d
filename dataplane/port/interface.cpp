#include "dataplane/port/interface.hpp"

#include <algorithm>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::port {
namespace {

// Any socket takes these requests; they are about the interface, not the socket.
class RequestSocket {
  public:
    explicit RequestSocket(const std::string& name) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        name.copy(request_.ifr_name, sizeof request_.ifr_name - 1);
    }
    ~RequestSocket() {
        if (fd_ >= 0) ::close(fd_);
    }
    RequestSocket(const RequestSocket&) = delete;
    RequestSocket& operator=(const RequestSocket&) = delete;

    // The answer is in request(); false leaves the reason in errno.
    [[nodiscard]] bool ask(unsigned long what) { return ::ioctl(fd_, what, &request_) == 0; }
    [[nodiscard]] ifreq& request() noexcept { return request_; }

  private:
    int fd_;
    ifreq request_{};
};

void read_queues(RequestSocket& socket, Interface& interface) {
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    socket.request().ifr_data = reinterpret_cast<char*>(&channels);
    if (!socket.ask(SIOCETHTOOL)) return;  // a driver that cannot tell has one queue
    interface.queues_are_combined = channels.combined_count > 0;
    interface.receive_queues = std::max(1U, channels.combined_count + channels.rx_count);
}

}  // namespace

Result<Interface> query_interface(const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ) return fail("'" + name + "' is not an interface's name");
    RequestSocket socket(name);
    if (!socket.ask(SIOCGIFHWADDR))
        return fail_errno("there is no interface " + name + " here (see `ip link`)");
    Interface interface;
    interface.name = name;
    const sockaddr address = socket.request().ifr_hwaddr;
    if (address.sa_family != ARPHRD_ETHER)
        return fail("interface " + name + " does not carry Ethernet frames");
    std::copy_n(address.sa_data, interface.hardware_address.octets.size(),
                interface.hardware_address.octets.begin());
    if (!socket.ask(SIOCGIFMTU)) return fail_errno("cannot read the MTU of " + name);
    interface.mtu = static_cast<std::uint32_t>(socket.request().ifr_mtu);
    if (!socket.ask(SIOCGIFFLAGS)) return fail_errno("cannot read the state of " + name);
    interface.is_up = (socket.request().ifr_flags & IFF_UP) != 0;
    read_queues(socket, interface);
    return interface;
}

bool has_carrier(const std::string& interface) {
    constexpr int kBoth = IFF_UP | IFF_RUNNING;
    RequestSocket socket(interface);
    return socket.ask(SIOCGIFFLAGS) && (socket.request().ifr_flags & kBoth) == kBoth;
}

bool hash_by_address_pair(const std::string& interface) {
    RequestSocket socket(interface);
    const auto ask = [&](ethtool_rxnfc& request) {
        socket.request().ifr_data = reinterpret_cast<char*>(&request);
        return socket.ask(SIOCETHTOOL);
    };
    for (const std::uint32_t flow : {UDP_V4_FLOW, UDP_V6_FLOW}) {
        ethtool_rxnfc wanted{.cmd = ETHTOOL_SRXFH, .flow_type = flow, .data = RXH_IP_SRC | RXH_IP_DST};
        ethtool_rxnfc granted{.cmd = ETHTOOL_GRXFH, .flow_type = flow};
        if (!ask(wanted) || !ask(granted) || granted.data != wanted.data) return false;
    }
    return true;
}

}  // namespace rouse::port
