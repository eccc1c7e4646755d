#include "mgmt/rack_address.hpp"

#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace rouse::mgmt {
namespace {

Result<RackAddress> parse_listen(const std::string& listen) {
    const auto colon = listen.rfind(':');
    const auto address = Ipv4Address::parse(std::string_view(listen).substr(0, colon));
    RackAddress found;
    const char* end = listen.data() + listen.size();
    if (colon == std::string::npos || !address || address->is_zero() ||
        std::from_chars(listen.data() + colon + 1, end, found.port).ptr != end)
        return fail("rack.listen \"" + listen +
                    "\" is not the appliance's IPv4 address on the rack and a port, such as 10.77.0.1:80");
    found.address = *address;
    return found;
}

Result<Ipv4Address> interface_address(const std::string& interface) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return fail_errno("cannot list the interfaces");
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> guard(list, ::freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
        if (interface != entry->ifa_name) continue;
        sockaddr_in socket_address{};
        std::memcpy(&socket_address, entry->ifa_addr, sizeof socket_address);
        return Ipv4Address::from_host(ntohl(socket_address.sin_addr.s_addr));
    }
    return fail("the rack's interface " + interface +
                " has no IPv4 address; give it one, or set dataplane.address");
}

}  // namespace

Result<RackAddress> find_rack_address(const Config& config) {
    if (!config.rack.listen.empty()) return parse_listen(config.rack.listen);
    if (!config.dataplane.address.empty()) {
        const auto address = Ipv4Address::parse(config.rack_address());
        if (!address)
            return fail("dataplane.address " + config.dataplane.address + " is not an IPv4 address");
        return RackAddress{*address};
    }
    const auto address = interface_address(config.rack_interface());
    if (!address) return tl::unexpected(address.error());
    return RackAddress{*address};
}

}  // namespace rouse::mgmt
