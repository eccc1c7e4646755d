#include "dataplane/worker/self.hpp"

#include <bit>
#include <cstring>
#include <memory>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace rouse::worker {

Result<wire::Self> find_self(const std::string& interface, const std::string& address) {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return fail_errno("cannot list network interfaces");
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> guard(list, freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
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

}  // namespace rouse::worker
