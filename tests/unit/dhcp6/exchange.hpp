#pragma once
// One machine, its network and its server: asks, and takes the answers apart, for tests.

#include "dataplane/dhcp6/identity.hpp"
#include "dataplane/dhcp6/responder.hpp"
#include "tests/unit/dhcp6/received.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace rouse::dhcp6 {

inline Ipv6Address address(const char* text) {
    return *Ipv6Address::parse(text);
}

// An association of an answer.
struct Granted {
    wire::Dhcp6Option kind{};
    std::uint32_t id = 0;
    std::uint32_t renew = 0;
    std::uint32_t rebind = 0;
    std::map<std::string, std::pair<std::uint32_t, std::uint32_t>> addresses;  // preferred, valid lifetime
    int status = -1;                                                           // none
};

class Exchange : public ::testing::Test {
  protected:
    static constexpr const char* kAddress = "2001:db8:77::9";
    static constexpr const char* kOther = "2001:db8:77::a";     // on the link, another machine's
    static constexpr const char* kElsewhere = "2001:db8:1::9";  // on another link

    store::HostRecord host_;
    store::NetworkRecord network_;
    const decltype(server_duid({})) server_id_ = server_duid({{2, 0, 0, 0, 0, 0xfe}});
    Facts facts_{.server_id = server_id_, .host = &host_, .network = &network_};
    std::size_t room_ = 1452;

    std::vector<std::byte> reply_;
    wire::Dhcp6Header header_{};
    std::map<wire::Dhcp6Option, std::string> options_;
    std::vector<Granted> granted_;

    void SetUp() override {
        host_.network = 1;
        host_.address = *Ipv4Address::parse("10.77.0.9");
        host_.address6 = address(kAddress);
        network_.id = 1;
        network_.prefix = *Ipv4Prefix::parse("10.77.0.0/16");
        network_.prefix6 = *Ipv6Prefix::parse("2001:db8:77::/64");
        network_.lease_seconds = 3600;
        network_.dns6 = {address("2001:db8:77::53"), address("2001:db8:77::54")};
        network_.dns6_count = 2;
        ASSERT_TRUE(host_.is_valid() && network_.is_valid());
    }

    Answer answer(const test::Dhcp6Builder& builder, const Ipv6Address& to = wire::kAllDhcpAgents) {
        const Received received(builder, to);
        EXPECT_EQ(received.drop, DropReason::none);
        reply_.assign(room_, std::byte{0xcc});
        const Answer result = respond(received.message, facts_, reply_);
        reply_.resize(result.length);
        options_.clear();
        granted_.clear();
        if (result.drop == DropReason::none && !received.message.relayed()) take_apart(reply_);
        return result;
    }

    // Checks the form of a reply and sorts its options.
    void take_apart(wire::ConstBytes reply) {
        header_ = *wire::load<wire::Dhcp6Header>(reply);
        wire::Dhcp6OptionReader reader(reply.subspan(sizeof header_));
        while (const auto option = reader.next()) {
            if (option->code == wire::Dhcp6Option::ia_na || option->code == wire::Dhcp6Option::ia_ta ||
                option->code == wire::Dhcp6Option::ia_pd)
                granted_.push_back(association(*option));
            else
                EXPECT_TRUE(options_.emplace(option->code, wire::as_text(option->value)).second)
                    << "option sent twice";
        }
        EXPECT_FALSE(reader.malformed());
    }

    int status() {
        const auto& value = options_[wire::Dhcp6Option::status_code];
        return value.size() < 2 ? -1 : value[0] * 256 + value[1];
    }

    static test::Dhcp6Builder from_client(wire::Dhcp6Type type) { return test::Dhcp6Builder(type).client(); }
    [[nodiscard]] test::Dhcp6Builder to_us(wire::Dhcp6Type type) const {
        return from_client(type).raw(wire::Dhcp6Option::server_id, server_id_);
    }

  private:
    static Granted association(const wire::Dhcp6OptionReader::Option& option) {
        Granted granted;
        granted.kind = option.code;
        granted.id = wire::load<be32>(option.value)->host();
        const bool timeless = option.code == wire::Dhcp6Option::ia_ta;
        if (!timeless) {
            granted.renew = wire::load<be32>(option.value, 4)->host();
            granted.rebind = wire::load<be32>(option.value, 8)->host();
        }
        wire::Dhcp6OptionReader reader(option.value.subspan(timeless ? 4 : 12));
        while (const auto inner = reader.next()) {
            if (inner->code == wire::Dhcp6Option::ia_address) {
                const auto one = *wire::load<wire::Dhcp6IaAddress>(inner->value);
                granted.addresses[one.address.to_string()] = {one.preferred_lifetime.host(),
                                                              one.valid_lifetime.host()};
            } else {
                EXPECT_EQ(inner->code, wire::Dhcp6Option::status_code);
                granted.status = wire::load<be16>(inner->value)->host();
            }
        }
        EXPECT_FALSE(reader.malformed());
        return granted;
    }
};

}  // namespace rouse::dhcp6
