#pragma once
// Guests on a network that serves them, at a time of the test's choice.

#include "mgmt/boot/guest_leases.hpp"
#include "mgmt/boot/lease_book.hpp"
#include "tests/unit/boot/boot_fixture.hpp"

#include <utility>

namespace rouse::boot {

inline MacAddress guest_mac(unsigned n) {
    return {{0x52, 0x54, 0, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
             static_cast<std::uint8_t>(n)}};
}
inline Ipv4Address address(const char* text) {
    return *Ipv4Address::parse(text);
}

class LeaseTest : public BootTest {
  protected:
    static constexpr std::uint32_t kLease = 3600;
    std::uint64_t now_ = realtime_ns() / kNanosPerSecond;
    Ipv4Address here_ = address("10.77.0.1");

    // Runs OPERATION in a transaction of its own at now_, and commits it, unless it is to be lost.
    template <typename F>
    auto run(F operation, bool lost = false) {
        auto txn = store_->environment().begin(Access::read_write).value();
        Batch batch(txn, *store_, now_ * kNanosPerSecond);
        auto result = operation(batch);
        if (!lost) {
            EXPECT_TRUE(txn.commit());
        }
        return result;
    }
    template <typename F>
    auto leases(F operation) {
        return run([&](Batch& batch) {
            GuestLeases guests(batch, appliance_);
            return operation(guests);
        });
    }

    Document serving_pool(json more = json::object()) {
        json fields{{"cidr", "10.77.0.0/24"}, {"lease_seconds", kLease}, {"unknown_machines", "serve"}};
        fields.update(more);
        return add_pool(fields).value();
    }
    // The address that the guest is offered; empty when it is refused.
    std::string offer(unsigned n) {
        const auto wish = leases([&](GuestLeases& guests) { return guests.offer(guest_mac(n), here_); });
        EXPECT_TRUE(wish);
        return *wish == GuestLeases::Wish::granted ? guest(n)->address.to_string() : "";
    }
    void ack(unsigned n, std::uint64_t seconds = kOfferSeconds) {
        const auto at = guest(n)->address;
        const auto done =
            leases([&](GuestLeases& guests) { return guests.confirm(guest_mac(n), at, now_, seconds); });
        EXPECT_TRUE(done && *done);
    }
    void give_back(unsigned n) {
        const auto at = guest(n)->address;
        EXPECT_TRUE(leases([&](GuestLeases& guests) { return guests.give_back(guest_mac(n), at); }));
    }
    void decline(unsigned n) {
        const auto at = guest(n)->address;
        EXPECT_TRUE(leases([&](GuestLeases& guests) { return guests.decline(guest_mac(n), at); }));
    }
    std::size_t end_due() {
        return run([](Batch& batch) { return end_leases(batch, 10'000); }).value();
    }
    std::optional<HostRecord> guest(unsigned n) { return host(guest_mac(n).to_string()); }
    LeaseCounts counts(NetworkId network = 1) { return lease_counts(*store_->snapshot(), network).value(); }
};

}  // namespace rouse::boot
