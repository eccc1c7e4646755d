#include "mgmt/boot/catalogue.hpp"
#include "tests/unit/boot/lease_fixture.hpp"

#include <set>

namespace rouse::boot {
namespace {

class Guests : public LeaseTest {};

TEST_F(Guests, AnOfferIsCommittedForAMinuteAndAnAckForTheLease) {
    serving_pool();
    const std::string ip = offer(1);
    ASSERT_EQ(ip, "10.77.0.254");
    EXPECT_TRUE(guest(1)->is_guest());
    EXPECT_EQ(guest(1)->expires_unix, now_ + kOfferSeconds);
    EXPECT_EQ(lease(ip)->state, LeaseState::offered);
    EXPECT_EQ(lease(ip)->mac, guest_mac(1));

    now_ += 4;
    ack(1);
    EXPECT_EQ(lease(ip)->state, LeaseState::active);
    EXPECT_EQ(lease(ip)->started_unix, now_);
    // Half as much again, so that a renewal after half the lease is granted in full.
    EXPECT_EQ(guest(1)->expires_unix, now_ + kLease + kLease / 2);
    EXPECT_EQ(lease(ip)->expires_unix, guest(1)->expires_unix);
    EXPECT_EQ(lease(ip)->promised_unix, now_ + kOfferSeconds);
}

TEST_F(Guests, AnOfferThatNobodyTakesUpEndsByItself) {
    serving_pool();
    const std::string ip = offer(1);
    now_ += kOfferSeconds;
    EXPECT_EQ(end_due(), 0U) << "the dataplane counts in whole seconds";
    now_ += 2;
    EXPECT_EQ(end_due(), 1U);
    EXPECT_FALSE(guest(1));
    EXPECT_EQ(lease(ip)->state, LeaseState::expired);
    EXPECT_EQ(offer(1), ip) << "RFC 2131 4.3.1: the client's previous address";
}

TEST_F(Guests, AskingAgainProlongsTheOfferAndChangesNothingElse) {
    serving_pool();
    const std::string ip = offer(1);
    now_ += 40;
    EXPECT_EQ(offer(1), ip);
    EXPECT_EQ(guest(1)->expires_unix, now_ + kOfferSeconds);
    ack(1);
    EXPECT_EQ(offer(1), ip);
    EXPECT_EQ(guest(1)->expires_unix, now_ + kLease + kLease / 2) << "never shortened";
    EXPECT_EQ(entries(store_->tables().leases), 1U);
}

TEST_F(Guests, AReleasedAddressIsKeptForItsMachineAMomentAndPreferredForLong) {
    serving_pool({{"range_start", "10.77.0.10"}, {"range_end", "10.77.0.11"}, {"guest_limit", 2}});
    const std::string first = offer(1);
    ack(1);
    offer(2);
    ack(2);
    EXPECT_EQ(offer(3), "") << "no address is left";
    give_back(1);
    EXPECT_FALSE(guest(1));
    EXPECT_EQ(lease(first)->state, LeaseState::released);
    EXPECT_EQ(offer(3), "") << "an ACK may be under way";
    EXPECT_EQ(offer(1), first);
    give_back(1);
    now_ += kReuseGraceSeconds;
    EXPECT_EQ(offer(3), first);
    EXPECT_EQ(lease(first)->mac, guest_mac(3));
    EXPECT_EQ(entries(store_->own().lease_former), 0U);
}

TEST_F(Guests, AddressesThatNobodyHadComeFirstThenTheLongestFree) {
    serving_pool({{"range_start", "10.77.0.10"}, {"range_end", "10.77.0.13"}, {"guest_limit", 4}});
    const std::string one = offer(1);
    ack(1);
    give_back(1);
    now_ += 100;
    const std::string two = offer(2);
    EXPECT_NE(two, one);
    ack(2);
    give_back(2);
    std::set<std::string> rest{offer(3), offer(4)};
    EXPECT_EQ(rest.count(one) + rest.count(two), 0U);
    ack(3);
    ack(4);
    now_ += 100;
    EXPECT_EQ(offer(5), one);
    EXPECT_EQ(offer(6), two);
}

TEST_F(Guests, ADeclinedAddressIsSetAsideAndTheGuestGetsAnother) {
    serving_pool({{"quarantine_seconds", 3600}});
    const std::string bad = offer(1);
    ack(1);
    decline(1);
    EXPECT_FALSE(guest(1));
    EXPECT_EQ(lease(bad)->state, LeaseState::abandoned);
    EXPECT_EQ(lease(bad)->expires_unix, now_ + 3600);
    EXPECT_NE(offer(1), bad);
    now_ += 3602;
    end_due();
    EXPECT_EQ(lease(bad)->state, LeaseState::expired);
}

TEST_F(Guests, WhoDeclinesWhateverItGetsDoesNotEatTheRange) {
    serving_pool({{"range_start", "10.77.0.100"}, {"range_end", "10.77.0.139"}, {"guest_limit", 40}});
    for (unsigned i = 0; i < 200; ++i) {
        if (offer(i).empty()) continue;
        decline(i);
    }
    EXPECT_EQ(counts().of(LeaseState::abandoned), 10U) << "a quarter";
    EXPECT_EQ(counts().guests, 10U);
}

TEST_F(Guests, AFloodTakesAtMostAQuarterOfTheRangeAndReturningGuestsAreServedBesideIt) {
    serving_pool({{"range_start", "10.77.0.100"}, {"range_end", "10.77.0.199"}});
    const std::string regular = offer(1);
    ack(1);
    give_back(1);
    unsigned granted = 0;
    for (unsigned i = 100; i < 400; ++i) granted += offer(i).empty() ? 0 : 1;
    EXPECT_EQ(granted, 25U);
    EXPECT_EQ(offer(1), regular);
    for (unsigned i = 0; i < 50; ++i) EXPECT_NE(add_machine(machine(i))->text("ip"), "");
    // The oldest offers end first, and their addresses go to the next.
    now_ += kOfferSeconds + kReuseGraceSeconds + 2;
    end_due();
    EXPECT_NE(offer(500), "");
}

TEST_F(Guests, MachinesThatCompleteTheExchangeStopAtTheLimit) {
    serving_pool({{"range_start", "10.77.0.100"}, {"range_end", "10.77.0.199"}, {"guest_limit", 30}});
    unsigned granted = 0;
    for (unsigned i = 0; i < 100; ++i) {
        if (offer(i).empty()) continue;
        ack(i);
        ++granted;
    }
    EXPECT_EQ(granted, 30U);
    EXPECT_EQ(counts().guests, 30U);
}

TEST_F(Guests, ARegisteredGuestKeepsItsAddress) {
    serving_pool();
    const std::string ip = offer(7);
    ack(7);
    json fields = machine(7);
    fields["mac"] = guest_mac(7).to_string();
    EXPECT_EQ(add_machine(fields)->text("ip"), ip);
    EXPECT_FALSE(guest(7)->is_guest());
    EXPECT_EQ(lease(ip)->expires_unix, 0U);
    EXPECT_EQ(lease(ip)->state, LeaseState::active);
    EXPECT_EQ(counts().guests, 0U);
    now_ += 10 * kLease;
    EXPECT_EQ(end_due(), 0U);
}

TEST_F(Guests, AGuestThatIsRegisteredElsewhereKeepsTheOldAddressFromOthersWhileItMayUseIt) {
    serving_pool();
    const std::string old = offer(7);
    ack(7, 600);
    json fields = machine(7);
    fields["mac"] = guest_mac(7).to_string();
    fields["ip"] = "10.77.0.77";
    ASSERT_TRUE(add_machine(fields));
    EXPECT_TRUE(lease(old)->is_taken());
    EXPECT_EQ(lease(old)->mac, guest_mac(7));
    now_ = lease(old)->expires_unix + 2;
    EXPECT_EQ(end_due(), 1U);
    EXPECT_EQ(guest(7)->address.to_string(), "10.77.0.77");
}

TEST_F(Guests, ADeletedMachinesAddressIsNobodysWhileItMayUseIt) {
    serving_pool();
    const auto made = add_machine(machine(1));
    const std::string ip = made->text("ip");
    const auto at = *Ipv4Address::parse(ip);
    ASSERT_TRUE(*leases([&](GuestLeases& guests) {
        return guests.confirm(*MacAddress::parse(mac_text(1)), at, now_, kLease);
    }));
    ASSERT_TRUE(*drop_machine(made->id));
    EXPECT_NE(add_machine(machine(2))->text("ip"), ip);
    now_ += kLease + 2;
    EXPECT_EQ(end_due(), 1U);
    EXPECT_EQ(lease(ip)->state, LeaseState::expired);
}

TEST_F(Guests, AMachineThatIsDeletedAndRegisteredAgainGetsItsAddressBack) {
    serving_pool();
    const auto made = add_machine(machine(1));
    const std::string ip = made->text("ip");
    const auto at = *Ipv4Address::parse(ip);
    ASSERT_TRUE(*leases([&](GuestLeases& guests) {
        return guests.confirm(*MacAddress::parse(mac_text(1)), at, now_, kLease);
    }));
    ASSERT_TRUE(*drop_machine(made->id));
    EXPECT_EQ(add_machine(machine(1))->text("ip"), ip);
    EXPECT_EQ(lease(ip)->expires_unix, 0U);
    EXPECT_EQ(entries(store_->own().lease_former), 0U);
    EXPECT_EQ(entries(store_->own().lease_times), 0U);
}

TEST_F(Guests, AnAckWhoseLeaseIsGoneHoldsTheAddress) {
    serving_pool();
    const auto at = address("10.77.0.99");
    const auto held =
        leases([&](GuestLeases& guests) { return guests.confirm(guest_mac(1), at, now_, 100); });
    EXPECT_TRUE(held && *held);
    EXPECT_EQ(lease("10.77.0.99")->expires_unix, now_ + 100);
    const auto other =
        leases([&](GuestLeases& guests) { return guests.confirm(guest_mac(2), at, now_, 100); });
    EXPECT_TRUE(other && !*other) << "another machine's: to be reported";
    EXPECT_EQ(lease("10.77.0.99")->mac, guest_mac(1));
}

TEST_F(Guests, AnOperatorFreesAGuestsLeaseAndNoOther) {
    serving_pool();
    const std::string ip = offer(1);
    ack(1);
    auto free = [&](const std::string& which) {
        return run([&](Batch& batch) { return free_lease(batch, *Ipv4Address::parse(which)); });
    };
    EXPECT_TRUE(free(ip));
    EXPECT_FALSE(guest(1));
    EXPECT_EQ(free("10.77.0.66").error().kind, Failure::Kind::not_found);
    const std::string planned = add_machine(machine(1))->text("ip");
    EXPECT_EQ(free(planned).error().kind, Failure::Kind::conflict);
    EXPECT_TRUE(host(mac_text(1)));
}

TEST_F(Guests, NetworksThatServeNoStrangersRefuseThem) {
    serving_pool({{"unknown_machines", "ignore"}});
    EXPECT_EQ(offer(1), "");
    here_ = address("10.99.0.1");
    EXPECT_EQ(offer(1), "");
    EXPECT_EQ(entries(store_->tables().hosts), 0U);
}

TEST_F(Guests, WhereStrangersAreServedNoMoreTheirLeasesRunOut) {
    auto pool = serving_pool();
    offer(1);
    ack(1);
    const auto until = guest(1)->expires_unix;
    pool.fields["unknown_machines"] = "ignore";
    ASSERT_TRUE(run([&](Batch& batch) -> Outcome<void> {
        const auto changed = update(batch, kIpPools, pool);
        return changed ? project_pool(batch, *changed) : pass_on(changed.error());
    }));
    now_ += 1000;
    ack(1, until - now_);
    EXPECT_EQ(guest(1)->expires_unix, until);
}

TEST_F(Guests, TheyFollowTheirPoolsProfile) {
    ASSERT_TRUE(add_profile({{"name", "one"}}));
    ASSERT_TRUE(add_profile({{"name", "two"}}));
    auto pool = serving_pool({{"boot_profile", "one"}});
    for (unsigned i = 0; i < 5; ++i) offer(i);
    EXPECT_EQ(guest(0)->profile, 1U);
    pool.fields["boot_profile"] = "two";
    std::optional<Ipv4Address> from;
    int steps = 0;
    do {
        from = run([&](Batch& batch) { return project_guests(batch, appliance_, pool, from, 2); }).value();
        ++steps;
    } while (from);
    EXPECT_EQ(steps, 3);
    for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(guest(i)->profile, 2U);
}

TEST_F(Guests, HaveABootLineOfTheirOwnThatFollowsTheProfile) {
    auto profile = add_profile({{"name", "live"}, {"kernel", "k"}, {"cmdline", "ip={{ip}} on={{server}}"}});
    ASSERT_TRUE(profile);
    auto pool = serving_pool({{"boot_profile", "live"}});
    const std::string ip = offer(1);
    const auto script = [&] {
        const auto snapshot = *store_->snapshot();
        const auto host = *guest(1);
        const auto name = resolve(snapshot, guest_mac(1), host, "boot.ipxe");
        return name && *name ? *read_text(snapshot, host, **name) : std::nullopt;
    };
    ASSERT_TRUE(script());
    EXPECT_NE(script()->find("ip=" + ip + " on=10.77.0.1 BOOTIF=01-52-54-00-00-00-01"), std::string::npos)
        << *script();
    EXPECT_EQ(script()->find("rouse.token"), std::string::npos) << "it can prove nothing";
    const auto line = guest(1)->line_id;
    ack(1);
    EXPECT_EQ(guest(1)->line_id, line) << "written once";

    profile->fields["cmdline"] = "other";
    ASSERT_TRUE(run([&](Batch& batch) -> Outcome<void> {
        const auto changed = update(batch, kBootProfiles, *profile);
        if (!changed) return pass_on(changed.error());
        const auto done = project_guests(batch, appliance_, pool, std::nullopt, 100);
        return done ? Outcome<void>{} : pass_on(done.error());
    }));
    EXPECT_NE(script()->find("other BOOTIF"), std::string::npos);

    give_back(1);
    now_ += kRenderedGraceSeconds + 1;
    ASSERT_TRUE(run([](Batch& batch) { return collect_retired(batch, 100); }));
    EXPECT_EQ(entries(store_->tables().rendered), 3U) << "the loaders' three frames";
}

TEST_F(Guests, RemovingThePoolForgetsThem) {
    const auto pool = serving_pool();
    for (unsigned i = 0; i < 5; ++i) offer(i);
    ASSERT_TRUE(run([&](Batch& batch) { return remove_pool(batch, pool); }));
    for (const Table table : {store_->tables().hosts, store_->tables().leases, store_->own().lease_times,
                              store_->own().lease_former, store_->own().lease_counts})
        EXPECT_EQ(entries(table), 0U);
}

}  // namespace
}  // namespace rouse::boot
