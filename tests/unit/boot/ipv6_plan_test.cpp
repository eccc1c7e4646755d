#include "tests/unit/boot/lease_fixture.hpp"

namespace rouse::boot {
namespace {

class Ipv6Plan : public LeaseTest {
  protected:
    std::size_t leases6() { return entries(store_->tables().leases6); }
};

TEST_F(Ipv6Plan, TheIpv4AddressStandsBehindThePrefix) {
    serving_pool({{"cidr6", "fd00:77:0::/64"}, {"dns_servers6", {"fd00:77::53"}}, {"router_lifetime6", 600}});
    const auto network =
        store_->snapshot()->record<NetworkRecord>(store_->tables().networks, bytes_of(be32(1)));
    EXPECT_EQ((*network)->prefix6.to_string(), "fd00:77::/64");
    EXPECT_EQ((*network)->dns6_count, 1);
    EXPECT_EQ((*network)->router_lifetime6, 600);
    const auto made = add_machine(machine(1));
    EXPECT_EQ(made->text("ip"), "10.77.0.2");
    EXPECT_EQ(made->text("ip6"), "fd00:77::a4d:2");
    EXPECT_EQ(host(mac_text(1))->address6.to_string(), "fd00:77::a4d:2");
    EXPECT_EQ(leases6(), 1U);
    ASSERT_TRUE(*drop_machine(made->id));
    EXPECT_EQ(leases6(), 0U);
}

TEST_F(Ipv6Plan, ATypedAddressIsKeptAndAPlannedOneMakesWay) {
    serving_pool({{"cidr6", "fd00:77::/64"}});
    json typed = machine(1);
    typed["ip6"] = "fd00:77::a4d:3";  // what the next machine would have got
    EXPECT_EQ(add_machine(typed)->text("ip6"), "fd00:77::a4d:3");
    const auto second = add_machine(machine(2));
    EXPECT_EQ(second->text("ip"), "10.77.0.3");
    EXPECT_EQ(second->text("ip6"), "fd00:77::1:a4d:3");
    json clash = machine(3);
    clash["ip6"] = "fd00:77::a4d:3";
    EXPECT_EQ(add_machine(clash).error().kind, Failure::Kind::conflict);
    clash["ip6"] = "fd00:78::1";
    EXPECT_EQ(add_machine(clash).error().pointer, "/ip6");
}

TEST_F(Ipv6Plan, ItMovesWithTheIpv4AddressUnlessItWasTyped) {
    serving_pool({{"cidr6", "fd00:77::/64"}});
    const auto made = add_machine(machine(1));
    json fields = made->fields;
    fields["ip"] = "10.77.0.50";
    const auto moved = change(*made, fields);
    EXPECT_EQ(moved->text("ip6"), "fd00:77::a4d:32");
    fields = moved->fields;
    fields["ip6"] = "fd00:77::99";
    const auto typed = change(*moved, fields);
    fields = typed->fields;
    fields["ip"] = "10.77.0.51";
    EXPECT_EQ(change(*typed, fields)->text("ip6"), "fd00:77::99");
    EXPECT_EQ(leases6(), 1U);
}

TEST_F(Ipv6Plan, MachinesFollowTheirPoolsNetwork) {
    auto pool = serving_pool();
    const auto made = add_machine(machine(1));
    EXPECT_EQ(made->text("ip6"), "");
    for (const char* prefix : {"fd00:77::/64", "fd00:78::/64", ""}) {
        pool.fields["cidr6"] = *prefix == '\0' ? json() : json(prefix);
        ASSERT_TRUE(run([&](Batch& batch) -> Outcome<void> {
            auto changed = update(batch, kIpPools, pool);
            if (!changed) return pass_on(changed.error());
            if (auto projected = project_pool(batch, *changed); !projected) return projected;
            return refresh_machine(batch, appliance_, **find(batch, kMachines, made->id));
        }));
        const std::string expected = *prefix == '\0' ? "::" : std::string(prefix, 9) + "a4d:2";
        EXPECT_EQ(host(mac_text(1))->address6.to_string(), expected);
    }
    EXPECT_EQ(leases6(), 0U);
}

TEST_F(Ipv6Plan, NetworksThatCannotBeAreRefusedByField) {
    struct Case {
        json fields;
        const char* pointer;
    };
    for (const Case& wrong : {Case{{{"cidr6", "fd00:77::1/64"}}, "/cidr6"},
                              {{{"cidr6", "fd00:77::/112"}}, "/cidr6"},
                              {{{"cidr6", "fe80::/64"}}, "/cidr6"},
                              {{{"cidr6", "ff02::/64"}}, "/cidr6"},
                              {{{"cidr6", "10.0.0.0/8"}}, "/cidr6"},
                              {{{"dns_servers6", {"fd00::1"}}}, "/dns_servers6"},
                              {{{"mtu6", 1500}}, "/mtu6"},
                              {{{"cidr6", "fd00::/64"}, {"dns_servers6", {"ff02::1"}}}, "/dns_servers6"}}) {
        json fields{{"cidr", "10.90.0.0/24"}};
        fields.update(wrong.fields);
        const auto refused = add_pool(fields);
        ASSERT_FALSE(refused) << fields;
        EXPECT_EQ(refused.error().pointer, wrong.pointer) << fields;
    }
    serving_pool({{"cidr6", "fd00:77::/48"}});
    EXPECT_EQ(add_pool({{"cidr", "10.90.0.0/24"}, {"cidr6", "fd00:77:0:1::/64"}}).error().kind,
              Failure::Kind::conflict);
}

TEST_F(Ipv6Plan, QuirksReachTheDataplane) {
    serving_pool();
    json fields = machine(1);
    fields["quirks"] = {"plain-tftp", "raspberry-pi"};
    ASSERT_TRUE(add_machine(fields));
    EXPECT_TRUE(host(mac_text(1))->quirks.has(Quirk::plain_tftp));
    EXPECT_TRUE(host(mac_text(1))->quirks.has(Quirk::raspberry_pi));
    EXPECT_FALSE(host(mac_text(1))->quirks.has(Quirk::broadcast_replies));
}

}  // namespace
}  // namespace rouse::boot
