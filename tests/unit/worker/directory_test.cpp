// The worker's view of the store: what it remembers of hosts is never older than the store.

#include "dataplane/worker/directory.hpp"

#include "tests/support/scratch_store.hpp"

#include <gtest/gtest.h>

namespace rouse::worker {
namespace {

using test::must;
using test::ScratchStore;

class DirectoryTest : public ::testing::Test {
  protected:
    void SetUp() override { store_.add_network_and_profile(); }

    // The machine's record, as rouse-mgmt writes it; no ADDRESS: none. COUNTED: as every change of a host is.
    void put_host(std::uint32_t machine, std::optional<Ipv4Address> address, bool counted = true) {
        store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
            const auto mac = ScratchStore::mac_of(machine);
            const store::HostRecord host{.network = 1, .address = address.value_or(Ipv4Address{})};
            if (address)
                must(txn.put(tables.hosts, store::bytes_of(mac), store::bytes_of(host)));
            else
                must(txn.remove(tables.hosts, store::bytes_of(mac)));
            if (counted) store_.count_change_of_hosts(txn);
        });
    }
    std::optional<Ipv4Address> address_of(std::uint32_t machine) {
        directory_.begin();
        const auto host = directory_.host(ScratchStore::mac_of(machine));
        directory_.end();
        return host ? std::optional(host->address) : std::nullopt;
    }

    static constexpr Ipv4Address kFirst = Ipv4Address::from_host(0x0a000002);
    static constexpr Ipv4Address kSecond = Ipv4Address::from_host(0x0a000003);
    ScratchStore store_;
    Directory directory_ = must(Directory::open(store_.environment()));
};

TEST_F(DirectoryTest, AHostIsWhatTheLastCommitSays) {
    EXPECT_EQ(address_of(1), std::nullopt);
    put_host(1, kFirst);
    EXPECT_EQ(address_of(1), kFirst);
    EXPECT_EQ(address_of(1), kFirst);
    put_host(1, kSecond);
    EXPECT_EQ(address_of(1), kSecond);
    put_host(1, std::nullopt);
    EXPECT_EQ(address_of(1), std::nullopt);
}

TEST_F(DirectoryTest, AChangeOfOneHostForgetsNoOthers) {
    put_host(1, kFirst);
    put_host(2, kSecond);
    EXPECT_EQ(address_of(1), kFirst);
    put_host(2, std::nullopt);
    EXPECT_EQ(address_of(1), kFirst);
    EXPECT_EQ(address_of(2), std::nullopt);
}

TEST_F(DirectoryTest, NothingIsRememberedOfAStoreThatCountsNoChanges) {
    put_host(1, kFirst, false);
    EXPECT_EQ(address_of(1), kFirst);
    put_host(1, kSecond, false);
    EXPECT_EQ(address_of(1), kSecond);
}

TEST_F(DirectoryTest, ACommitThatChangesNoHostLeavesWhatIsRemembered) {
    put_host(1, kFirst);
    EXPECT_EQ(address_of(1), kFirst);
    // A change that was not counted is one that cannot be seen: proof that the store was not asked.
    put_host(1, kSecond, false);
    EXPECT_EQ(address_of(1), kFirst);
}

// One name in every scope: the machine's own comes first, then its profile's, then everybody's.
TEST_F(DirectoryTest, ANameIsTheMachinesThenTheProfilesThenEverybodys) {
    const MacAddress mac = ScratchStore::mac_of(1);
    const std::string name = "boot.ipxe";
    const store::HostRecord host{.network = 1, .profile = 1};
    const std::array<store::NameKey, 3> keys{*store::NameKey::machine(mac, name),
                                             *store::NameKey::profile(1, name),
                                             *store::NameKey::common(name)};
    store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const store::NameRecord record{
                .kind = store::ContentKind::rendered, .size = 1, .rendered_id = i + 1};
            must(txn.put(tables.names, keys[i].bytes(), store::bytes_of(record)));
        }
    });
    const auto found = [&](const MacAddress& who, const store::HostRecord& as) {
        directory_.begin();
        const auto record = directory_.find_name(who, as, name);
        directory_.end();
        return record ? record->rendered_id : 0;
    };
    EXPECT_EQ(found(mac, host), 1U);
    EXPECT_EQ(found(ScratchStore::mac_of(2), host), 2U) << "another machine of the profile";
    EXPECT_EQ(found(ScratchStore::mac_of(2), {.network = 1, .profile = 2}), 3U) << "of another profile";
    EXPECT_EQ(found(ScratchStore::mac_of(2), {.network = 1}), 3U) << "of none";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        store_.commit([&](store::Transaction& txn, const store::Tables& tables) {
            must(txn.remove(tables.names, keys[i].bytes()));
        });
        EXPECT_EQ(found(mac, host), i + 1 < keys.size() ? i + 2 : 0) << "without the ones before it";
    }
}

// Far more machines than the directory has places: each gets its own address, whoever had the place before.
TEST_F(DirectoryTest, MachinesThatShareAPlaceAreNotMistakenForEachOther) {
    constexpr std::uint32_t kMachines = 300'000;
    store_.add_machines(kMachines);
    store_.commit([&](auto& txn, auto&) { store_.count_change_of_hosts(txn); });
    directory_.begin();
    for (int round = 0; round < 2; ++round) {
        for (std::uint32_t i = 0; i < kMachines; ++i) {
            const auto host = directory_.host(ScratchStore::mac_of(i));
            ASSERT_TRUE(host) << i;
            ASSERT_EQ(host->address, ScratchStore::address_of(i)) << i;
        }
    }
    directory_.end();
}

}  // namespace
}  // namespace rouse::worker
