#include "dataplane/dhcp6/rules.hpp"

#include <algorithm>

namespace rouse::dhcp6 {
namespace {

using wire::Dhcp6Option;
using wire::Dhcp6Type;

enum class Presence : std::uint8_t { required, optional, forbidden };
enum class Unicast : std::uint8_t { ignored, refused };  // refused: with status UseMulticast

struct Rule {
    Dhcp6Type type;
    Presence client_id;
    Presence server_id;
    Unicast unicast;
};

// RFC 8415 16.2 to 16.12 and, for unicast, 16 and 18.4.1.
constexpr std::array kRules{
    Rule{Dhcp6Type::solicit, Presence::required, Presence::forbidden, Unicast::ignored},
    Rule{Dhcp6Type::request, Presence::required, Presence::required, Unicast::refused},
    Rule{Dhcp6Type::confirm, Presence::required, Presence::forbidden, Unicast::ignored},
    Rule{Dhcp6Type::renew, Presence::required, Presence::required, Unicast::refused},
    Rule{Dhcp6Type::rebind, Presence::required, Presence::forbidden, Unicast::ignored},
    Rule{Dhcp6Type::decline, Presence::required, Presence::required, Unicast::refused},
    Rule{Dhcp6Type::release, Presence::required, Presence::required, Unicast::refused},
    Rule{Dhcp6Type::information_request, Presence::optional, Presence::optional, Unicast::ignored},
};

DropReason check_server_id(const Message& message, const Rule& rule, wire::ConstBytes ours) noexcept {
    if (message.server_id.empty())
        return rule.server_id == Presence::required ? DropReason::dhcp6_no_server_id : DropReason::none;
    if (rule.server_id == Presence::forbidden) return DropReason::dhcp6_unexpected_server_id;
    return std::equal(message.server_id.begin(), message.server_id.end(), ours.begin(), ours.end())
               ? DropReason::none
               : DropReason::dhcp_other_server;
}

bool holds_address(const Message& message) noexcept {
    const auto associations = message.associations();
    return std::any_of(associations.begin(), associations.end(), [](const IdentityAssociation& association) {
        wire::Dhcp6OptionReader reader(association.options);
        return next_address(reader).has_value();
    });
}

DropReason check_records(const Message& message, const Facts& facts) noexcept {
    if (facts.host == nullptr) return DropReason::dhcp_unknown_machine;
    if (facts.network == nullptr || !facts.network->has_ipv6()) return DropReason::dhcp_unknown_network;
    // A client that made its address itself may still ask for the rest.
    if (message.type == Dhcp6Type::information_request) return DropReason::none;
    const bool has_address = !facts.host->address6.is_zero() &&
                             store::lease_seconds(*facts.host, *facts.network, facts.now_unix) > 0;
    return has_address ? DropReason::none : DropReason::dhcp_no_address;
}

}  // namespace

Verdict check(const Message& message, const Facts& facts) noexcept {
    const auto rule = std::find_if(kRules.begin(), kRules.end(),
                                   [&](const Rule& candidate) { return candidate.type == message.type; });
    if (rule == kRules.end()) return {.drop = DropReason::dhcp6_type_unhandled};
    if (rule->client_id == Presence::required && message.client_id.empty())
        return {.drop = DropReason::dhcp6_no_client_id};
    if (const auto drop = check_server_id(message, *rule, facts.server_id); drop != DropReason::none)
        return {.drop = drop};
    if (message.type == Dhcp6Type::information_request && message.association_count != 0)
        return {.drop = DropReason::dhcp6_unexpected_ia};
    if (message.type == Dhcp6Type::confirm && !holds_address(message))  // RFC 8415 18.3.3
        return {.drop = DropReason::dhcp6_nothing_to_confirm};

    const bool unicast = !message.to_group && !message.relayed();
    if (unicast && rule->unicast == Unicast::ignored) return {.drop = DropReason::dhcp6_unicast};
    return {.drop = check_records(message, facts), .use_multicast = unicast};
}

}  // namespace rouse::dhcp6
