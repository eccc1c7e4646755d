#include "shared/store/records.hpp"
#include "shared/store/tables.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse::store {
namespace {

class Store : public ::testing::Test {
  protected:
    std::string dir_ = std::filesystem::temp_directory_path() / ("rouse-store-" + std::to_string(::getpid()));
    void SetUp() override { std::filesystem::remove_all(dir_); }
    void TearDown() override { std::filesystem::remove_all(dir_); }
};

HostRecord host() {
    HostRecord record;
    record.network = 1;
    record.address = *Ipv4Address::parse("10.77.0.9");
    EXPECT_TRUE(record.hostname.assign("node1"));
    return record;
}

TEST_F(Store, ReaderSeesCommitsAndNothingElse) {
    auto writer = Environment::open(dir_, {.access = Access::read_write});
    ASSERT_TRUE(writer) << writer.error().message;
    auto setup = writer->begin(Access::read_write);
    ASSERT_TRUE(setup);
    auto tables = Tables::open(*setup, true);
    ASSERT_TRUE(tables);
    ASSERT_TRUE(setup->commit());

    const MacAddress mac{{2, 0, 0, 0, 0, 1}};
    const auto before = writer->last_transaction();
    {
        auto aborted = writer->begin(Access::read_write);
        ASSERT_TRUE(aborted->put(tables->hosts, bytes_of(mac), bytes_of(host())));
    }
    EXPECT_EQ(writer->last_transaction(), before);
    auto txn = writer->begin(Access::read_write);
    ASSERT_TRUE(txn->put(tables->hosts, bytes_of(mac), bytes_of(host())));
    auto reader = writer->begin(Access::read_only);
    EXPECT_FALSE(*reader->get(tables->hosts, bytes_of(mac)));
    reader->reset();
    ASSERT_TRUE(txn->commit());
    EXPECT_NE(writer->last_transaction(), before);
    ASSERT_TRUE(reader->renew());
    const auto value = reader->get(tables->hosts, bytes_of(mac));
    ASSERT_TRUE(value && *value);
    const auto record = decode<HostRecord>(**value);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->hostname.view(), "node1");
}

TEST_F(Store, ScanWalksInOrderFromAKey) {
    auto env = Environment::open(dir_, {.access = Access::read_write});
    auto txn = env->begin(Access::read_write);
    auto table = txn->table("t", true);
    for (const char* key : {"a1", "b1", "b2", "c1"})
        ASSERT_TRUE(txn->put(*table, bytes_of(std::string_view(key)), {}));
    std::string seen;
    ASSERT_TRUE(scan(*txn, *table, bytes_of(std::string_view("b")), [&](Bytes key, Bytes) {
        seen += std::string(text_of(key)) + " ";
        return text_of(key) < "b2";
    }));
    EXPECT_EQ(seen, "b1 b2 ");
}

TEST_F(Store, OpeningAMissingStoreReadOnlySaysWhere) {
    const auto env = Environment::open(dir_, {});
    ASSERT_FALSE(env);
    EXPECT_NE(env.error().message.find(dir_), std::string::npos);
}

TEST(Records, DamagedOnesAreMisses) {
    auto record = host();
    ASSERT_TRUE(decode<HostRecord>(bytes_of(record)));
    EXPECT_FALSE(decode<HostRecord>(bytes_of(record).first(sizeof record - 1)));
    record.version = 99;
    EXPECT_FALSE(decode<HostRecord>(bytes_of(record)));
}

TEST(Records, Ipv6FieldsAreChecked) {
    auto record = host();
    record.address6 = *Ipv6Address::parse("2001:db8::9");
    EXPECT_TRUE(record.is_valid());
    record.address6 = *Ipv6Address::parse("ff02::1");
    EXPECT_FALSE(record.is_valid());

    NetworkRecord good;
    good.id = 1;
    good.prefix = *Ipv4Prefix::parse("10.77.0.0/16");
    good.lease_seconds = 3600;
    EXPECT_TRUE(good.is_valid());
    EXPECT_FALSE(good.has_ipv6());
    good.prefix6 = *Ipv6Prefix::parse("2001:db8::/64");
    good.router_lifetime6 = NetworkRecord::kMaxRouterLifetime;
    good.mtu6 = NetworkRecord::kMinMtu6;
    good.dns6_count = 2;
    EXPECT_TRUE(good.is_valid());
    EXPECT_TRUE(good.has_ipv6());
    const auto refused = [&](auto spoil) {
        auto bad = good;
        spoil(bad);
        return !bad.is_valid();
    };
    EXPECT_TRUE(refused([](auto& bad) { bad.prefix6.length = 127; }));
    EXPECT_TRUE(refused([](auto& bad) { bad.prefix6.length = 20; })) << "host bits";
    EXPECT_TRUE(refused([](auto& bad) { bad.dns6_count = 3; }));
    EXPECT_TRUE(refused([](auto& bad) { bad.router_lifetime6 = 9001; }));
    EXPECT_TRUE(refused([](auto& bad) { bad.mtu6 = 1279; }));
}

TEST(NameKey, ScopesNeverCollideAndLengthsAreBound) {
    const MacAddress mac{{1, 2, 3, 4, 5, 6}};
    const auto machine = NameKey::machine(mac, "boot.ipxe");
    const auto common = NameKey::common("boot.ipxe");
    ASSERT_TRUE(machine && common);
    EXPECT_EQ(text_of(common->bytes()), "cboot.ipxe");
    EXPECT_EQ(machine->bytes().size(), 1U + 6U + 9U);
    EXPECT_FALSE(NameKey::common(""));
    EXPECT_TRUE(NameKey::machine(mac, std::string(ImageName::kMaxLength, 'x')));
    EXPECT_FALSE(NameKey::machine(mac, std::string(ImageName::kMaxLength + 1, 'x')));
}

}  // namespace
}  // namespace rouse::store
