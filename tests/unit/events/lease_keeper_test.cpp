#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/events/strangers.hpp"
#include "tests/unit/events/rack.hpp"

namespace rouse::events {
namespace {

using store::LeaseState;

class Leases : public RackTest {
  protected:
    void SetUp() override {
        RackTest::SetUp();
        ASSERT_TRUE(writer_->run([](store::Batch& batch) -> Outcome<void> {
            nlohmann::json fields{{"cidr", "10.77.0.0/24"},    {"range_start", "10.77.0.10"},
                                  {"range_end", "10.77.0.13"}, {"unknown_machines", "serve"},
                                  {"guest_limit", 2},          {"_network", 1}};
            if (auto checked = boot::check_pool(batch, fields, std::nullopt); !checked) return checked;
            const auto pool = store::insert(batch, store::kIpPools, fields);
            return pool ? boot::project_pool(batch, *pool) : pass_on(pool.error());
        }));
    }
    Event about(EventKind kind, std::uint32_t n, const char* address, std::uint64_t seconds = 0) {
        Event out = event(kind, mac_of(n), realtime_ns());
        out.address = *Ipv4Address::parse(address);
        out.duration_ns = seconds * kNanosPerSecond;
        return out;
    }
    Event wish(std::uint32_t n) { return about(EventKind::dhcp_lease_wanted, n, "10.77.0.1"); }
    std::optional<store::HostRecord> host(std::uint32_t n) {
        return *store_->snapshot()->record<store::HostRecord>(store_->tables().hosts,
                                                              store::bytes_of(mac_of(n)));
    }
    LeaseState state(const char* address) {
        return boot::find_lease(*store_->snapshot(), *Ipv4Address::parse(address)).value().value().state;
    }
    std::vector<SeenStranger> strangers() { return read_strangers(*store_->snapshot(), tables_).value(); }
    store::Document register_one(std::uint32_t n, const char* ip = nullptr) {
        return writer_
            ->run([&](store::Batch& batch) {
                nlohmann::json fields{{"hostname", "node"}, {"mac", mac_of(n).to_string()}};
                if (ip != nullptr) fields["ip"] = ip;
                return boot::register_machine(batch, appliance_, fields);
            })
            .value();
    }
};

TEST_F(Leases, AWholeExchangeInOneBatch) {
    apply({wish(1), about(EventKind::dhcp_offer, 1, "10.77.0.13"),
           about(EventKind::dhcp_request, 1, "10.77.0.13"), about(EventKind::dhcp_ack, 1, "10.77.0.13", 60)});
    EXPECT_EQ(host(1)->address.to_string(), "10.77.0.13");
    EXPECT_EQ(state("10.77.0.13"), LeaseState::active);
    EXPECT_TRUE(strangers().empty()) << "a guest is no stranger";
    apply({about(EventKind::dhcp_release, 1, "10.77.0.13")});
    EXPECT_FALSE(host(1));
    EXPECT_EQ(state("10.77.0.13"), LeaseState::released);
}

TEST_F(Leases, EventsThatWereAppliedBeforeGrantNothingTwice) {
    Event first = wish(1);
    first.sequence = 1;
    apply_as_they_are({first}, 9);
    Event release = about(EventKind::dhcp_release, 1, "10.77.0.13");
    release.sequence = 2;
    apply_as_they_are({first, release}, 9);
    apply_as_they_are({first, release}, 9);
    EXPECT_FALSE(host(1));
}

TEST_F(Leases, AWishThatCannotBeGrantedIsToldOf) {
    apply({wish(1), wish(2), wish(3)});
    EXPECT_TRUE(host(1));
    EXPECT_FALSE(host(2)) << "half of the guests' limit may be offered at once";
    const auto seen = strangers();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].what.reason, static_cast<std::uint16_t>(DropReason::dhcp_no_address));
}

TEST_F(Leases, AnInformPromisesNothing) {
    apply({wish(1), about(EventKind::dhcp_ack, 1, "10.77.0.13", 0)});
    EXPECT_EQ(state("10.77.0.13"), LeaseState::offered);
}

TEST_F(Leases, ARegisteredMachineThatDeclinesGetsAnotherAddressAndItsTimelineSaysSo) {
    const auto machine = register_one(5);
    ASSERT_EQ(machine.text("ip"), "10.77.0.10");
    apply({about(EventKind::dhcp_decline, 5, "10.77.0.10")});
    EXPECT_EQ(host(5)->address.to_string(), "10.77.0.11");
    EXPECT_EQ(state("10.77.0.10"), LeaseState::abandoned);
    const auto said = timeline(machine.id);
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[1]["event"], "address_replaced");
    EXPECT_NE(said[1]["text"].get<std::string>().find("gets 10.77.0.11"), std::string::npos);
}

TEST_F(Leases, AnAddressThatWasTypedInIsKept) {
    const auto machine = register_one(5, "10.77.0.12");
    apply({about(EventKind::dhcp_decline, 5, "10.77.0.12")});
    EXPECT_EQ(host(5)->address.to_string(), "10.77.0.12");
    EXPECT_EQ(timeline(machine.id)[1]["event"], "address_kept");
}

}  // namespace
}  // namespace rouse::events
