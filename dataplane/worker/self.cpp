#include "dataplane/worker/self.hpp"

#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace rouse::worker {
namespace {

using AddressList = std::unique_ptr<ifaddrs, void (*)(ifaddrs*)>;

Result<AddressList> list_addresses() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return fail_errno("cannot list network interfaces");
    return AddressList(list, freeifaddrs);
}

}  // namespace

Result<wire::Self> find_self(const std::string& interface, const std::string& address) {
    const auto list = list_addresses();
    if (!list) return tl::unexpected(list.error());
    for (const ifaddrs* entry = list->get(); entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET ||
            interface != entry->ifa_name)
            continue;
        sockaddr_in own{};
        sockaddr_in mask{};
        std::memcpy(&own, entry->ifa_addr, sizeof own);
        std::memcpy(&mask, entry->ifa_netmask, sizeof mask);
        wire::Self self;
        self.address = std::bit_cast<Ipv4Address>(own.sin_addr.s_addr);
        if (!address.empty() && self.address.to_string() != address) continue;
        self.subnet.length = static_cast<std::uint8_t>(std::popcount(mask.sin_addr.s_addr));
        self.subnet.address = Ipv4Address::from_host(self.address.host() & self.subnet.mask());
        return self;
    }
    if (!address.empty())
        return fail("interface " + interface + " has no address " + address +
                    ": add it, or correct dataplane.address");
    return fail("interface " + interface + " has no IPv4 address: give it one (ip address add …/… dev " +
                interface + ")");
}

Result<wire::Self6> find_self6(const std::string& interface, const MacAddress& mac) {
    const auto list = list_addresses();
    if (!list) return tl::unexpected(list.error());
    std::optional<Ipv6Address> link_local;
    std::vector<Ipv6Address> wider;
    for (const ifaddrs* entry = list->get(); entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET6 ||
            interface != entry->ifa_name)
            continue;
        sockaddr_in6 own{};
        std::memcpy(&own, entry->ifa_addr, sizeof own);
        const auto address = std::bit_cast<Ipv6Address>(own.sin6_addr);
        if (!address.is_link_local())
            wider.push_back(address);
        else if (!link_local)
            link_local = address;
    }
    wire::Self6 self(mac, link_local.value_or(wire::link_local_of(mac)));
    for (const auto& address : wider)
        if (!self.add(address))
            return fail("interface " + interface + " has more than " +
                        std::to_string(wire::Self6::kMaxAddresses) +
                        " IPv6 addresses beside its link-local one: take some away");
    return self;
}

}  // namespace rouse::worker
