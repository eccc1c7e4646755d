#include "perf/load/answer.hpp"

namespace rouse::load {

std::optional<Answer> read_answer(wire::ConstBytes frame) noexcept {
    const auto ethernet = wire::load<wire::EthernetHeader>(frame);
    const auto ip = wire::load<wire::Ipv4Header>(frame, sizeof(wire::EthernetHeader));
    if (!ethernet || !ip) return std::nullopt;
    // The rack's machines have many addresses: whatever came in is for one of them, or chaddr tells that not.
    const wire::Self self{.mac = ethernet->destination, .address = ip->destination, .subnet = {.length = 32}};
    wire::Datagram datagram;
    if (wire::parse_datagram(frame, self, datagram) != DropReason::none) return std::nullopt;
    if (datagram.destination_port != wire::kDhcpClientPort) return std::nullopt;
    const auto header = wire::load<wire::DhcpHeader>(datagram.payload);
    if (!header || header->op != wire::kBootReply || header->cookie != wire::kDhcpCookie) return std::nullopt;

    Answer answer{.machine = header->hardware,
                  .transaction = header->transaction.host(),
                  .address = header->your,
                  .server = datagram.source};
    wire::DhcpOptionReader options(datagram.payload.subspan(sizeof(wire::DhcpHeader)));
    while (const auto option = options.next()) {
        if (option->code == wire::DhcpOption::message_type && option->value.size() == 1)
            answer.type = static_cast<wire::DhcpType>(option->value[0]);
        if (option->code == wire::DhcpOption::server_identifier && option->value.size() == 4)
            answer.server = *wire::load<Ipv4Address>(option->value);
    }
    if (options.malformed() || answer.type == wire::DhcpType::none) return std::nullopt;
    return answer;
}

}  // namespace rouse::load
