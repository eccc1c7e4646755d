#include "mgmt/rack_neighbours.hpp"

#include <array>
#include <cstring>
#include <span>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::mgmt {
namespace {

constexpr std::size_t kMaxAddressBytes = 16;

struct Question {
    nlmsghdr header{};
    ndmsg neighbour{};
    rtattr attribute{};
    std::array<std::uint8_t, kMaxAddressBytes> address{};
};

Question question(unsigned interface, const IpAddress& peer) {
    Question asked;
    const auto v4 = peer.v4();
    const std::size_t bytes = v4 ? sizeof(Ipv4Address) : kMaxAddressBytes;
    asked.header.nlmsg_len = static_cast<std::uint32_t>(sizeof asked - kMaxAddressBytes + bytes);
    asked.header.nlmsg_type = RTM_GETNEIGH;
    asked.header.nlmsg_flags = NLM_F_REQUEST;
    asked.neighbour.ndm_family = v4 ? AF_INET : AF_INET6;
    asked.neighbour.ndm_ifindex = static_cast<int>(interface);
    asked.attribute.rta_type = NDA_DST;
    asked.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(bytes));
    if (v4)
        std::memcpy(asked.address.data(), &*v4, bytes);
    else
        std::memcpy(asked.address.data(), peer.octets.data(), bytes);
    return asked;
}

std::optional<MacAddress> answer_in(std::span<std::byte> received) {
    auto* header = reinterpret_cast<nlmsghdr*>(received.data());
    if (!NLMSG_OK(header, received.size()) || header->nlmsg_type != RTM_NEWNEIGH) return std::nullopt;
    const auto* neighbour = static_cast<const ndmsg*>(NLMSG_DATA(header));
    constexpr unsigned kUnknown = NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP;
    if (neighbour->ndm_state == NUD_NONE || (neighbour->ndm_state & kUnknown) != 0) return std::nullopt;
    auto left = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *neighbour));
    const auto* attribute = reinterpret_cast<const rtattr*>(reinterpret_cast<const std::byte*>(neighbour) +
                                                            NLMSG_ALIGN(sizeof *neighbour));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        MacAddress mac;
        if (attribute->rta_type != NDA_LLADDR || RTA_PAYLOAD(attribute) != mac.octets.size()) continue;
        std::memcpy(mac.octets.data(), RTA_DATA(attribute), mac.octets.size());
        return mac;
    }
    return std::nullopt;
}

}  // namespace

std::optional<MacAddress> neighbour_of(const std::string& interface, const IpAddress& peer) {
    const unsigned index = ::if_nametoindex(interface.c_str());
    const int fd = index == 0 ? -1 : ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return std::nullopt;
    const Question asked = question(index, peer);
    alignas(nlmsghdr) std::array<std::byte, 4096> room;
    std::optional<MacAddress> found;
    if (::send(fd, &asked, asked.header.nlmsg_len, 0) == static_cast<ssize_t>(asked.header.nlmsg_len)) {
        // The kernel has answered by the time that send() returns.
        const ssize_t got = ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
        if (got > 0) found = answer_in(std::span(room).first(static_cast<std::size_t>(got)));
    }
    ::close(fd);
    return found;
}

}  // namespace rouse::mgmt
