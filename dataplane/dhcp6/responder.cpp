#include "dataplane/dhcp6/responder.hpp"

#include "dataplane/dhcp6/rules.hpp"

#include <algorithm>
#include <charconv>

namespace rouse::dhcp6 {
namespace {

using wire::Dhcp6Option;
using wire::Dhcp6OptionReader;
using wire::Dhcp6Status;
using wire::Dhcp6Type;
using wire::Dhcp6Writer;

bool holds(const IdentityAssociation& association, const Ipv6Address& address) noexcept {
    Dhcp6OptionReader reader(association.options);
    while (const auto held = next_address(reader))
        if (*held == address) return true;
    return false;
}

template <typename Predicate>
bool every_address(const IdentityAssociation& association, Predicate holds_for) noexcept {
    Dhcp6OptionReader reader(association.options);
    while (const auto held = next_address(reader))
        if (!holds_for(*held)) return false;
    return true;
}

// The association that the machine's address belongs to: the one that holds it, else the first.
const IdentityAssociation* bound_association(const Message& message, const Ipv6Address& address) noexcept {
    const IdentityAssociation* first = nullptr;
    for (const auto& association : message.associations()) {
        if (association.kind != Dhcp6Option::ia_na) continue;
        if (holds(association, address)) return &association;
        if (first == nullptr) first = &association;
    }
    return first;
}

void put_status(Dhcp6Writer& writer, Dhcp6Status status, std::string_view text = {}) noexcept {
    writer.put(Dhcp6Option::status_code, be16(static_cast<std::uint16_t>(status)), text);
}

// Writes one answer; the steps of respond() in its order.
class Reply {
  public:
    Reply(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept
        : message_(message), facts_(facts), writer_(out) {}

    Answer write(Dhcp6Type type, bool use_multicast) noexcept {
        open_envelopes();
        writer_.append(wire::Dhcp6Header{type, message_.transaction});
        if (!message_.client_id.empty()) writer_.put(Dhcp6Option::client_id, message_.client_id);
        writer_.put(Dhcp6Option::server_id, facts_.server_id);
        if (use_multicast)
            put_status(writer_, Dhcp6Status::use_multicast, "send to ff02::1:2");
        else
            put_body(type);
        close_envelopes();
        if (writer_.overflowed()) return {.drop = DropReason::dhcp_reply_too_long};
        return {.type = type, .length = writer_.size(), .address = address_};
    }

  private:
    // RFC 8415 19.3: each envelope repeats the one that the message came in.
    void open_envelopes() noexcept {
        for (const Relay& relay : message_.relays()) {
            wire::Dhcp6RelayHeader header = relay.header;
            header.type = Dhcp6Type::relay_reply;
            writer_.append(header);
            if (relay.interface_id) writer_.put(Dhcp6Option::interface_id, *relay.interface_id);
            opened_[open_count_++] = writer_.open(Dhcp6Option::relay_message);
        }
    }
    void close_envelopes() noexcept {
        while (open_count_ > 0) writer_.close(opened_[--open_count_]);
    }

    void put_body(Dhcp6Type type) noexcept {
        switch (message_.type) {
            case Dhcp6Type::confirm:
                return put_confirmation();
            case Dhcp6Type::release:
            case Dhcp6Type::decline:
                return put_farewell();
            case Dhcp6Type::information_request:
                return put_configuration();
            case Dhcp6Type::solicit:
                // The highest preference: the client takes this answer at once (RFC 8415 18.2.1).
                if (type == Dhcp6Type::advertise)
                    writer_.put(Dhcp6Option::preference, std::uint8_t{255});
                else
                    writer_.put(Dhcp6Option::rapid_commit);
                break;
            default:
                break;
        }
        put_associations();
        put_configuration();
    }

    // RFC 8415 18.3.1, 18.3.2, 18.3.4, 18.3.5.
    void put_associations() noexcept {
        const auto* bound = bound_association(message_, facts_.host->address6);
        for (const auto& association : message_.associations()) {
            if (&association != bound)
                put_refusal(association, refusal_of(association));
            else if (message_.type == Dhcp6Type::request && !is_on_link(association))
                put_refusal(association, Dhcp6Status::not_on_link);
            else
                put_grant(association);
        }
    }

    [[nodiscard]] bool is_on_link(const IdentityAssociation& association) const noexcept {
        return every_address(association, [&](const Ipv6Address& address) {
            return facts_.network->prefix6.contains(address);
        });
    }

    [[nodiscard]] bool is_renewal() const noexcept {
        return message_.type == Dhcp6Type::renew || message_.type == Dhcp6Type::rebind;
    }

    [[nodiscard]] Dhcp6Status refusal_of(const IdentityAssociation& association) const noexcept {
        if (is_renewal()) return Dhcp6Status::no_binding;
        return association.kind == Dhcp6Option::ia_pd ? Dhcp6Status::no_prefixes : Dhcp6Status::no_addresses;
    }

    void put_refusal(const IdentityAssociation& association, Dhcp6Status status) noexcept {
        const std::size_t value = writer_.open(association.kind);
        writer_.append(association.id);
        if (association.kind != Dhcp6Option::ia_ta) writer_.append(std::array<be32, 2>{});  // no T1, no T2
        put_status(writer_, status);
        writer_.close(value);
    }

    void put_grant(const IdentityAssociation& association) noexcept {
        address_ = facts_.host->address6;
        const std::uint32_t lifetime = store::lease_seconds(*facts_.host, *facts_.network, facts_.now_unix);
        const std::size_t value = writer_.open(association.kind);
        // RFC 8415 21.4: T1 and T2 at 0.5 and 0.8 of the preferred lifetime.
        writer_.append(wire::Dhcp6IaNa{association.id, part_of(lifetime, 5), part_of(lifetime, 8)});
        put_address(address_, lifetime);
        if (is_renewal()) {  // what it must not use any longer (RFC 8415 18.3.4)
            Dhcp6OptionReader reader(association.options);
            while (const auto held = next_address(reader))
                if (*held != address_) put_address(*held, 0);
        }
        writer_.close(value);
    }

    void put_address(const Ipv6Address& address, std::uint32_t lifetime) noexcept {
        writer_.put(Dhcp6Option::ia_address, wire::Dhcp6IaAddress{address, lifetime, lifetime});
    }

    static std::uint32_t part_of(std::uint32_t lifetime, std::uint64_t tenths) noexcept {
        constexpr std::uint32_t kInfinity = 0xffffffff;  // RFC 8415 7.7
        return lifetime == kInfinity ? kInfinity : static_cast<std::uint32_t>(lifetime * tenths / 10);
    }

    // Stricter than RFC 8415 18.3.3, which looks at the link only: an address on the link that is another
    // machine's by now must not come back to life.
    void put_confirmation() noexcept {
        const auto associations = message_.associations();
        const bool holds_ours = std::all_of(
            associations.begin(), associations.end(), [&](const IdentityAssociation& association) {
                return every_address(association, [&](const Ipv6Address& address) {
                    return address == facts_.host->address6;
                });
            });
        if (holds_ours) address_ = facts_.host->address6;
        put_status(writer_, holds_ours ? Dhcp6Status::success : Dhcp6Status::not_on_link);
    }

    // RELEASE and DECLINE (RFC 8415 18.3.7, 18.3.8).
    void put_farewell() noexcept {
        put_status(writer_, Dhcp6Status::success);
        for (const auto& association : message_.associations()) {
            if (association.kind == Dhcp6Option::ia_na && holds(association, facts_.host->address6))
                address_ = facts_.host->address6;
            else
                put_refusal(association, Dhcp6Status::no_binding);
        }
    }

    void put_configuration() noexcept {
        const auto& network = *facts_.network;
        if (network.dns6_count > 0 && message_.wants(Dhcp6Option::dns_servers))
            writer_.put(Dhcp6Option::dns_servers,
                        std::as_bytes(std::span(network.dns6).first(network.dns6_count)));
        const ClientKind kind = classify(message_);
        if (facts_.boot_url.empty() ||
            (kind == ClientKind::system && !message_.wants(Dhcp6Option::boot_file_url)))
            return;
        writer_.put(Dhcp6Option::boot_file_url, facts_.boot_url);
        if (kind == ClientKind::pxe) put_boot_file_size();
        // UEFI takes the URL for HTTP boot's only with this, and reads the URL up to the next zero byte:
        // which is this option's first. PXE firmware must not get its like: it would then ask port 4011.
        if (kind == ClientKind::http) {
            constexpr std::string_view kClass = "HTTPClient";
            writer_.put(Dhcp6Option::vendor_class, be32(wire::kIntelEnterprise),
                        be16(static_cast<std::uint16_t>(kClass.size())), kClass);
        }
    }

    // EDK2 takes the first boot file parameter for the file's size in units of 512 bytes, in at most five
    // digits, and then need not ask TFTP for it. One that it cannot read would end the boot.
    void put_boot_file_size() noexcept {
        constexpr std::uint64_t kUnit = 512;
        constexpr std::uint64_t kMaxUnits = 0xffff;
        const std::uint64_t units = facts_.boot_file_bytes / kUnit + (facts_.boot_file_bytes % kUnit != 0);
        if (units == 0 || units > kMaxUnits) return;
        std::array<char, 5> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), units).ptr;
        const auto count = static_cast<std::uint16_t>(end - digits.data());
        writer_.put(Dhcp6Option::boot_file_parameters, be16(count), std::string_view(digits.data(), count));
    }

    const Message& message_;
    const Facts& facts_;
    Dhcp6Writer writer_;
    std::array<std::size_t, Message::kMaxRelays> opened_{};
    std::size_t open_count_ = 0;
    Ipv6Address address_{};
};

}  // namespace

Answer respond(const Message& message, const Facts& facts, wire::MutableBytes out) noexcept {
    const Verdict verdict = check(message, facts);
    if (verdict.drop != DropReason::none) return {.drop = verdict.drop};
    // The address is committed already, so whoever asks for a rapid commit gets it (RFC 8415 18.3.1).
    const bool advertise = message.type == Dhcp6Type::solicit && !message.rapid_commit;
    return Reply(message, facts, out)
        .write(advertise ? Dhcp6Type::advertise : Dhcp6Type::reply, verdict.use_multicast);
}

wire::Udp6Template::Endpoints destination(const Message& message, const wire::Datagram6& received,
                                          const wire::Self6& self) noexcept {
    return {.ends = {.source_mac = self.mac(),
                     .destination_mac = received.source_mac,
                     .source = message.to_group ? self.source_for(received.source) : received.destination,
                     .destination = received.source},
            .source_port = wire::kDhcp6ServerPort,
            .destination_port = message.relayed() ? wire::kDhcp6ServerPort : wire::kDhcp6ClientPort};
}

}  // namespace rouse::dhcp6
