#include "tests/unit/boot/boot_fixture.hpp"

#include <chrono>
#include <map>
#include <random>
#include <set>

namespace rouse::boot {
namespace {

class AddressPlan : public BootTest {};

TEST_F(AddressPlan, GivesTheLowestFreeAddressThatIsNobodysOwn) {
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/29"}, {"gateway", "10.77.0.3"}}));
    // 10.77.0.1 is the appliance, .3 the gateway, .0 and .7 network and broadcast.
    std::vector<std::string> got;
    for (unsigned i = 0; i < 5; ++i) got.push_back(add_machine(machine(i))->text("ip"));
    EXPECT_EQ(got, (std::vector<std::string>{"10.77.0.2", "10.77.0.4", "10.77.0.5", "10.77.0.6", ""}));
    EXPECT_EQ(lease("10.77.0.4")->mac.to_string(), mac_text(1));
    EXPECT_EQ(host(mac_text(1))->address.to_string(), "10.77.0.4");
    // The fifth is registered all the same: on the allow-list, but no network serves it.
    EXPECT_EQ(host(mac_text(4))->network, 0U);
}

TEST_F(AddressPlan, FreedAddressesAreGivenAgainLowestFirst) {
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/24"}}));
    std::vector<Document> machines;
    for (unsigned i = 0; i < 20; ++i) machines.push_back(*add_machine(machine(i)));
    ASSERT_TRUE(*drop_machine(machines[10].id));
    ASSERT_TRUE(*drop_machine(machines[3].id));
    EXPECT_FALSE(host(mac_text(3)));
    EXPECT_EQ(add_machine(machine(100))->text("ip"), machines[3].text("ip"));
    EXPECT_EQ(add_machine(machine(101))->text("ip"), machines[10].text("ip"));
}

TEST_F(AddressPlan, WishesAreGrantedOrRefusedForAReason) {
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/24"},
                          {"gateway", "10.77.0.254"},
                          {"range_start", "10.77.0.100"},
                          {"range_end", "10.77.0.110"}}));
    auto wish = [&](unsigned n, const char* ip) {
        json fields = machine(n);
        fields["ip"] = ip;
        return add_machine(fields);
    };
    EXPECT_EQ(wish(1, "10.77.0.9")->text("ip"), "10.77.0.9");  // outside the range, inside the network
    EXPECT_EQ(wish(2, "10.77.0.100")->text("ip"), "10.77.0.100");
    EXPECT_EQ(add_machine(machine(3))->text("ip"), "10.77.0.101");
    struct Case {
        const char* ip;
        const char* says;
        Failure::Kind kind;
    };
    for (const Case& wrong : {Case{"10.78.0.9", "in no IP pool", Failure::Kind::invalid},
                              {"10.77.0.0", "network or broadcast", Failure::Kind::invalid},
                              {"10.77.0.255", "network or broadcast", Failure::Kind::invalid},
                              {"10.77.0.254", "gateway", Failure::Kind::invalid},
                              {"10.77.0.1", "appliance", Failure::Kind::invalid},
                              {"10.77.0.9", "leased to 02:00:00:00:00:01", Failure::Kind::conflict}}) {
        const auto refused = wish(50, wrong.ip);
        ASSERT_FALSE(refused) << wrong.ip;
        EXPECT_EQ(refused.error().pointer, "/ip");
        EXPECT_EQ(refused.error().kind, wrong.kind);
        EXPECT_NE(refused.error().message.find(wrong.says), std::string::npos) << refused.error().message;
    }
    EXPECT_FALSE(host(mac_text(50)));
}

TEST_F(AddressPlan, PoolsThatContradictAreRefusedByField) {
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/16"}}));
    struct Case {
        json pool;
        const char* pointer;
    };
    for (const Case& wrong :
         {Case{{{"cidr", "10.77.4.0/24"}}, "/cidr"},
          {{{"cidr", "10.0.0.0/8"}}, "/cidr"},
          {{{"cidr", "0.0.0.0/4"}}, "/cidr"},
          {{{"cidr", "10.80.0.0/31"}}, "/cidr"},
          {{{"cidr", "10.80.0.0/24"}, {"gateway", "10.81.0.1"}}, "/gateway"},
          {{{"cidr", "10.80.0.0/24"}, {"gateway", "10.80.0.255"}}, "/gateway"},
          {{{"cidr", "10.80.0.0/24"}, {"range_start", "10.79.0.1"}}, "/range_start"},
          {{{"cidr", "10.80.0.0/24"}, {"range_end", "10.81.0.1"}}, "/range_end"},
          {{{"cidr", "10.80.0.0/24"}, {"range_start", "10.80.0.9"}, {"range_end", "10.80.0.8"}},
           "/range_end"}}) {
        const auto refused = add_pool(wrong.pool);
        ASSERT_FALSE(refused) << wrong.pool;
        EXPECT_EQ(refused.error().pointer, wrong.pointer) << wrong.pool;
    }
    EXPECT_EQ(entries(store_->tables().networks), 1U);
}

TEST_F(AddressPlan, MachinesWaitForAPoolAndForTheirClustersOwn) {
    const auto cluster = writer_->run([](Batch& batch) {
        return insert(batch, kClusters, {{"name", "edge"}});
    });
    json clustered = machine(1);
    clustered["cluster"] = cluster->id.to_string();
    const auto first = add_machine(clustered);
    const auto second = add_machine(machine(2));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->text("ip"), "");
    EXPECT_EQ(host(mac_text(1))->network, 0U);

    auto wait_over = [&] {
        return writer_->run(
            [&](Batch& batch) { return place_waiting(batch, appliance_, std::nullopt, 100); });
    };
    ASSERT_TRUE(add_pool({{"cidr", "10.78.0.0/24"}, {"cluster", cluster->id.to_string()}}));
    ASSERT_TRUE(wait_over());
    EXPECT_EQ(host(mac_text(1))->address.to_string(), "10.78.0.1");
    EXPECT_EQ(host(mac_text(2))->network, 0U) << "the pool is another cluster's";
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/24"}}));
    ASSERT_TRUE(wait_over());
    EXPECT_EQ(host(mac_text(2))->address.to_string(), "10.77.0.2");
    EXPECT_EQ(host(mac_text(2))->network, 2U);
}

TEST_F(AddressPlan, WaitingMachinesArePlacedInSteps) {
    for (unsigned i = 0; i < 25; ++i) ASSERT_TRUE(add_machine(machine(i)));
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/24"}}));
    std::optional<Id> after;
    int steps = 0;
    do {
        const auto placed =
            writer_->run([&](Batch& batch) { return place_waiting(batch, appliance_, after, 10); });
        ASSERT_TRUE(placed);
        after = *placed;
        ++steps;
    } while (after);
    EXPECT_EQ(steps, 3);
    EXPECT_EQ(entries(store_->tables().leases), 25U);
}

// Whatever is added, moved and removed: no two machines have one address, every machine's address is leased
// to it, and no lease is nobody's.
TEST_F(AddressPlan, NoAddressIsEverTwoMachines) {
    std::mt19937 random(11);
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/26"}, {"gateway", "10.77.0.62"}}));
    ASSERT_TRUE(
        add_pool({{"cidr", "10.78.0.0/27"}, {"range_start", "10.78.0.10"}, {"range_end", "10.78.0.20"}}));
    std::vector<Document> machines;
    unsigned next = 0;
    auto random_ip = [&]() -> json {
        switch (random() % 3) {
            case 0:
                return nullptr;
            case 1:
                return "10.77.0." + std::to_string(random() % 64);
            default:
                return "10.78.0." + std::to_string(random() % 32);
        }
    };
    for (int step = 0; step < 2000; ++step) {
        const std::size_t at = machines.empty() ? 0 : random() % machines.size();
        const unsigned action = static_cast<unsigned>(random() % 10);
        if (action < 5 || machines.empty()) {
            json fields = machine(next++);
            fields["ip"] = random_ip();
            if (auto made = add_machine(fields)) machines.push_back(*made);
        } else if (action < 7) {
            json fields = machines[at].fields;
            fields["ip"] = random_ip();
            if (random() % 2 == 0) fields["mac"] = mac_text(100'000 + next++);
            if (auto changed = change(machines[at], fields)) machines[at] = *changed;
        } else {
            ASSERT_TRUE(*drop_machine(machines[at].id));
            machines.erase(machines.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (step % 50 != 0) continue;
        std::set<std::string> addresses;
        std::size_t placed = 0;
        for (const auto& one : machines) {
            const auto record = host(one.text("mac"));
            ASSERT_TRUE(record);
            ASSERT_EQ(record->network != 0, !one.text("ip").empty());
            if (record->network == 0) continue;
            ++placed;
            ASSERT_EQ(record->address.to_string(), one.text("ip"));
            ASSERT_TRUE(addresses.insert(one.text("ip")).second);
            const auto promise = lease(one.text("ip"));
            ASSERT_TRUE(promise);
            ASSERT_EQ(promise->mac.to_string(), one.text("mac"));
        }
        ASSERT_EQ(entries(store_->tables().leases), placed);
        ASSERT_EQ(entries(store_->tables().hosts), machines.size());
    }
    ASSERT_FALSE(machines.empty());
}

// The work per machine does not grow with the number of machines: the last thousand of 20 000 registrations
// take no more than a few times what the first thousand took.
TEST_F(AddressPlan, RegistrationDoesNotSlowDownWithTheNumberOfMachines) {
    ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/16"}}));
    auto add_thousand = [&](unsigned from) {
        const auto began = std::chrono::steady_clock::now();
        const auto added = writer_->run([&](Batch& batch) -> Outcome<void> {
            for (unsigned i = from; i < from + 1000; ++i)
                if (auto made = register_machine(batch, appliance_, machine(i)); !made)
                    return pass_on(made.error());
            return {};
        });
        EXPECT_TRUE(added);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    };
    const double first = add_thousand(0);
    for (unsigned i = 1; i < 19; ++i) add_thousand(i * 1000);
    EXPECT_LT(add_thousand(19'000), 10 * first + 0.1);
    EXPECT_EQ(entries(store_->tables().leases), 20'000U);
}

}  // namespace
}  // namespace rouse::boot
