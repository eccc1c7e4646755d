#include "mgmt/boot/machine.hpp"

#include "mgmt/boot/boot_token.hpp"
#include "mgmt/boot/retired.hpp"
#include "shared/clock.hpp"
#include "tests/unit/boot/boot_fixture.hpp"

namespace rouse::boot {
namespace {

std::uint64_t now_unix() {
    return realtime_ns() / kNanosPerSecond;
}

class Machines : public BootTest {
  protected:
    void SetUp() override {
        ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/16"}, {"gateway", "10.77.0.254"}}));
        ASSERT_TRUE(
            add_profile({{"name", "live"},
                         {"loaders", {{"bios", "undionly.kpxe"}, {"x64-uefi", "ipxe.efi"}}},
                         {"kernel", "vmlinuz"},
                         {"initrds", {"initrd.img"}},
                         {"cmdline", "host={{hostname}} ip={{ip}} mask={{netmask}} gw={{gateway}}"}}));
        ASSERT_TRUE(add_profile({{"name", "loader-only"}, {"loaders", {{"bios", "pxelinux.0"}}}}));
    }
    Document booting(unsigned n, const char* profile = "live") {
        json fields = machine(n);
        fields["boot_profile"] = profile;
        return *add_machine(fields);
    }
};

TEST_F(Machines, ProfilesTellTheDataplaneTheirLoaders) {
    const auto record =
        store_->snapshot()->record<ProfileRecord>(store_->tables().profiles, bytes_of(be32(1)));
    ASSERT_TRUE(record && *record);
    EXPECT_TRUE((*record)->has_script());
    EXPECT_EQ((*record)->loader(Loader::x64_uefi), "ipxe.efi");
    EXPECT_EQ((*record)->loader(Loader::arm64_uefi), "");
}

TEST_F(Machines, AMachineWithAKernelGetsItsScript) {
    const auto made = booting(1);
    const auto record = host(mac_text(1));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->profile, 1U);
    EXPECT_EQ(std::string(record->machine_id.data(), 36), made.id.to_string());
    const std::string text = script(mac_text(1));
    EXPECT_NE(text.find("host=node1 ip=10.77.0.2 mask=255.255.0.0 gw=10.77.0.254 BOOTIF="), std::string::npos)
        << text;
    EXPECT_EQ(machine_of_token(*store_->snapshot(), token_in(text), now_unix())->id, made.id);
    // Only the hash is kept outside the script.
    const auto stored = find_by(*store_->snapshot(), kBootTokens, kBootTokenByMachine, made.id.to_string());
    EXPECT_EQ((*stored)->fields.dump().find(token_in(text)), std::string::npos);
}

TEST_F(Machines, WithoutAKernelThereIsNoScript) {
    booting(1, "loader-only");
    EXPECT_EQ(host(mac_text(1))->profile, 2U);
    EXPECT_EQ(script(mac_text(1)), "");
    ASSERT_TRUE(add_machine(machine(2)));
    EXPECT_EQ(host(mac_text(2))->profile, 0U);
}

TEST_F(Machines, ProfilesComeFromTheClusterThenFromThePool) {
    const auto cluster = writer_->run([](Batch& batch) {
        return insert(batch, kClusters, {{"name", "edge"}, {"boot_profile", "loader-only"}});
    });
    ASSERT_TRUE(
        add_pool({{"cidr", "10.90.0.0/24"}, {"boot_profile", "live"}, {"cluster", cluster->id.to_string()}}));
    json fields = machine(1);
    fields["cluster"] = cluster->id.to_string();
    ASSERT_EQ(add_machine(fields)->text("ip"), "10.90.0.1");
    EXPECT_EQ(host(mac_text(1))->profile, 2U);
    json asked = machine(2);
    asked["ip"] = "10.90.0.7";
    ASSERT_TRUE(add_machine(asked));
    EXPECT_EQ(host(mac_text(2))->profile, 1U);
    EXPECT_EQ(machines_using(*store_->snapshot(), "loader-only")->size(), 1U);
    EXPECT_EQ(machines_using(*store_->snapshot(), "live")->size(), 2U) << "by their pool";
    EXPECT_NE(check_unused(*store_->snapshot(), "live").error().message.find("ip-pool"), std::string::npos);
}

TEST_F(Machines, ProjectingAgainChangesNothing) {
    const auto made = booting(1);
    const std::string before = script(mac_text(1));
    const auto transaction = store_->environment().last_transaction();
    ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
        const auto projected = project_machine(batch, appliance_, made);
        EXPECT_EQ(batch.txn().writes(), 0U);
        return projected;
    }));
    EXPECT_EQ(script(mac_text(1)), before);
    EXPECT_LE(store_->environment().last_transaction(), transaction + 1);
}

TEST_F(Machines, ASpentTokenIsGoneAndTheNextBootHasANewOne) {
    const auto made = booting(1);
    const std::string first = token_in(script(mac_text(1)));
    const auto spent = writer_->run([&](Batch& batch) { return spend_token(batch, appliance_, first); });
    ASSERT_TRUE(spent);
    EXPECT_EQ(spent->id, made.id);
    const std::string second = token_in(script(mac_text(1)));
    EXPECT_NE(second, first);
    const auto again = writer_->run([&](Batch& batch) { return spend_token(batch, appliance_, first); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, Failure::Kind::gone);
    EXPECT_EQ(machine_of_token(*store_->snapshot(), std::string(64, '0'), now_unix()).error().kind,
              Failure::Kind::not_found);
    EXPECT_TRUE(machine_of_token(*store_->snapshot(), second, now_unix()));
}

TEST_F(Machines, ABootUnderWayMayStillReportWhenItsScriptIsReplaced) {
    auto made = booting(1);
    const std::string old = token_in(script(mac_text(1)));
    made.fields["hostname"] = "renamed";
    ASSERT_TRUE(change(made, made.fields));
    const std::string fresh = token_in(script(mac_text(1)));
    ASSERT_NE(old, fresh);
    EXPECT_TRUE(machine_of_token(*store_->snapshot(), old, now_unix()));
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return spend_token(batch, appliance_, old); }));
    EXPECT_FALSE(machine_of_token(*store_->snapshot(), fresh, now_unix())) << "one boot, one report";
}

TEST_F(Machines, EveryBootHasATokenOfItsOwnAndTheLastOneIsGoodForOneBootMore) {
    const auto made = booting(1);
    const auto begin_boot = [&] {
        EXPECT_TRUE(writer_->run([&](Batch& batch) { return renew_token(batch, appliance_, made.id); }));
        return token_in(script(mac_text(1)));
    };
    const std::string first = token_in(script(mac_text(1)));
    const std::string second = begin_boot();
    EXPECT_NE(first, second);
    EXPECT_TRUE(machine_of_token(*store_->snapshot(), first, now_unix()));
    EXPECT_TRUE(machine_of_token(*store_->snapshot(), second, now_unix()));
    const std::string third = begin_boot();
    EXPECT_FALSE(machine_of_token(*store_->snapshot(), first, now_unix()));
    EXPECT_TRUE(machine_of_token(*store_->snapshot(), second, now_unix()));
    EXPECT_TRUE(machine_of_token(*store_->snapshot(), third, now_unix()));
    const auto aged = machine_of_token(*store_->snapshot(), third, now_unix() + kTokenSeconds + 60);
    ASSERT_FALSE(aged);
    EXPECT_EQ(aged.error().kind, Failure::Kind::gone);
    EXPECT_NE(aged.error().message.find("too old"), std::string::npos);
    const auto plain = booting(2, "loader-only");
    EXPECT_TRUE(writer_->run([&](Batch& batch) { return renew_token(batch, appliance_, plain.id); }));
}

TEST_F(Machines, AChangedMacLeavesNothingOfTheOldOne) {
    auto made = booting(1);
    json fields = made.fields;
    fields["mac"] = mac_text(9);
    const auto changed = change(made, fields);
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->text("ip"), made.text("ip"));
    EXPECT_FALSE(host(mac_text(1)));
    EXPECT_EQ(script(mac_text(1)), "");
    EXPECT_NE(script(mac_text(9)), "");
    EXPECT_EQ(lease(made.text("ip"))->mac.to_string(), mac_text(9));
}

TEST_F(Machines, RemovingOneFreesEverything) {
    const auto texts = entries(store_->tables().rendered), names = entries(store_->tables().names);
    const auto made = booting(1);
    ASSERT_TRUE(*drop_machine(made.id));
    for (const Table table : {store_->tables().hosts, store_->tables().leases}) EXPECT_EQ(entries(table), 0U);
    EXPECT_EQ(entries(store_->tables().names), names);
    EXPECT_EQ(*count(*store_->snapshot(), kMachines), 0U);
    EXPECT_EQ(*count(*store_->snapshot(), kBootTokens), 0U);
    EXPECT_EQ(entries(store_->tables().rendered), texts + 1) << "readable for its grace period";
    EXPECT_FALSE(*drop_machine(made.id));
}

TEST_F(Machines, ReplacedScriptsStayReadableForTheirGrace) {
    const auto texts = entries(store_->tables().rendered);
    auto made = booting(1);
    made.fields["hostname"] = "renamed";
    ASSERT_TRUE(change(made, made.fields));
    EXPECT_EQ(entries(store_->tables().rendered), texts + 2);
    auto collect_at = [&](std::uint64_t seconds_from_now) {
        ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
            Batch later(batch.txn(), *store_, batch.now_ns() + seconds_from_now * kNanosPerSecond);
            const auto collected = collect_retired(later, 100);
            if (!collected) return pass_on(collected.error());
            return {};
        }));
    };
    collect_at(kRenderedGraceSeconds - 2);
    EXPECT_EQ(entries(store_->tables().rendered), texts + 2);
    collect_at(kRenderedGraceSeconds + 2);
    EXPECT_EQ(entries(store_->tables().rendered), texts + 1);
    EXPECT_NE(script(mac_text(1)), "");
}

TEST_F(Machines, UnknownReferencesAreRefusedByField) {
    json fields = machine(1);
    fields["boot_profile"] = "none";
    EXPECT_EQ(add_machine(fields).error().pointer, "/boot_profile");
    fields = machine(1);
    fields["cluster"] = Id::make().to_string();
    EXPECT_EQ(add_machine(fields).error().pointer, "/cluster");
    EXPECT_EQ(entries(store_->tables().leases), 0U) << "a refused machine holds no address";
}

TEST_F(Machines, WrongProfilesAreRefusedByField) {
    struct Case {
        json profile;
        const char* pointer;
    };
    for (const Case& wrong : {Case{{{"name", "a"}, {"loaders", {{"z80", "x"}}}}, "/loaders/z80"},
                              {{{"name", "a"}, {"kernel", "../etc/passwd"}}, "/kernel"},
                              {{{"name", "a"}, {"kernel", "/vmlinuz"}}, "/kernel"},
                              {{{"name", "a"}, {"kernel", "k"}, {"initrds", {"ok", "a//b"}}}, "/initrds/1"},
                              {{{"name", "a"}, {"initrds", {"i"}}}, "/initrds"},
                              {{{"name", "a"}, {"cmdline", "x"}}, "/cmdline"},
                              {{{"name", "a"}, {"kernel", "k"}, {"cmdline", "{{nope}}"}}, "/cmdline"},
                              {{{"name", "live"}}, "/name"}}) {
        const auto refused = add_profile(wrong.profile);
        ASSERT_FALSE(refused) << wrong.profile;
        EXPECT_EQ(refused.error().pointer, wrong.pointer);
    }
    const auto warnings =
        warnings_about(*store_->snapshot(), {{"kernel", "vmlinuz"}, {"initrds", {"vmlinuz"}}});
    ASSERT_EQ(warnings->size(), 1U);
    EXPECT_NE(warnings->front().find("no image vmlinuz"), std::string::npos);
}

}  // namespace
}  // namespace rouse::boot
