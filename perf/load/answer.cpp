#include "perf/load/answer.hpp"

namespace rouse::load {

std::optional<Answer> read_answer(const wire::Datagram& datagram) noexcept {
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
        if (option->code == wire::DhcpOption::subnet_mask && option->value.size() == 4)
            answer.mask = *wire::load<Ipv4Address>(option->value);
        if (option->code == wire::DhcpOption::router && option->value.size() >= 4)
            answer.router = *wire::load<Ipv4Address>(option->value);
    }
    if (options.malformed() || answer.type == wire::DhcpType::none) return std::nullopt;
    answer.files = header->server.is_zero() ? answer.server : header->server;
    return answer;
}

}  // namespace rouse::load
