#include "dataplane/dhcp/overheard.hpp"

#include "dataplane/wire/dhcp.hpp"

namespace rouse::dhcp {

DropReason parse_overheard(const wire::Datagram& datagram, Overheard& out) noexcept {
    const auto header = wire::load<wire::DhcpHeader>(datagram.payload);
    if (!header) return DropReason::dhcp_too_short;
    if (header->op != wire::kBootReply) return DropReason::dhcp_not_reply;
    if (header->hardware_type != wire::kHardwareEthernet || header->hardware_length != sizeof(MacAddress))
        return DropReason::dhcp_bad_hardware;
    out = {.client = header->hardware, .server = datagram.source};
    if (header->cookie != wire::kDhcpCookie) return DropReason::none;  // BOOTP
    wire::DhcpOptionReader options(datagram.payload.subspan(sizeof *header));
    while (const auto option = options.next())
        if (option->code == wire::DhcpOption::server_identifier)
            out.server = wire::load<Ipv4Address>(option->value).value_or(out.server);
    return options.malformed() ? DropReason::dhcp_bad_option : DropReason::none;
}

}  // namespace rouse::dhcp
