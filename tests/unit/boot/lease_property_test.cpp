#include "tests/unit/boot/lease_fixture.hpp"

#include <deque>
#include <map>
#include <random>

namespace rouse::boot {
namespace {

// Machines that do as they please, a dataplane that answers by what was committed last and promises what its
// rules allow, and a management plane whose transactions are lost now and then, whose process dies between
// any two of them, and which hears of things late.
class LeaseProperty : public LeaseTest {
  protected:
    static constexpr unsigned kCrowd = 40;

    struct Belief {
        Ipv4Address address;
        std::uint64_t until = 0;
    };
    struct News {
        enum class Kind { wanted, ack, release, decline } kind;
        unsigned machine;
        Ipv4Address address;
        std::uint64_t at, seconds;
    };

    std::optional<HostRecord> record(unsigned n) { return guest(n); }

    // As decide() and lease_seconds() do.
    std::uint64_t promise(const HostRecord& host) const {
        if (!host.is_guest()) return kLease;
        return host.expires_unix <= now_ ? 0 : std::min<std::uint64_t>(kLease, host.expires_unix - now_);
    }
    void discover(unsigned n) {
        const auto host = record(n);
        if (host && (!host->is_guest() || promise(*host) >= kOfferSeconds / 2)) return;
        news_.push_back({News::Kind::wanted, n, here_, now_, 0});
    }
    void request(unsigned n) {
        const auto host = record(n);
        if (!host || host->address.is_zero() || promise(*host) == 0) return;
        news_.push_back({News::Kind::ack, n, host->address, now_, promise(*host)});
        beliefs_[n] = {host->address, now_ + promise(*host)};
        if (host->is_guest()) ++guests_served_;
    }
    void hand_back(unsigned n, News::Kind kind) {
        const auto host = record(n);
        const auto belief = beliefs_.find(n);
        if (!host || belief == beliefs_.end() || host->address != belief->second.address) return;
        news_.push_back({kind, n, host->address, now_, 0});
        beliefs_.erase(belief);
    }
    // Applies the oldest news, as many as one batch held, unless the transaction is lost.
    void apply(std::size_t many, bool lost) {
        many = std::min(many, news_.size());
        run(
            [&](Batch& batch) {
                GuestLeases guests(batch, appliance_);
                for (std::size_t i = 0; i < many; ++i) apply_one(batch, guests, news_[i]);
                return end_leases(batch, 1000);
            },
            lost);
        if (!lost) news_.erase(news_.begin(), news_.begin() + static_cast<std::ptrdiff_t>(many));
    }
    void apply_one(Batch& batch, GuestLeases& guests, const News& one) {
        const auto mac = guest_mac(one.machine);
        const auto machine = find_by(batch, kMachines, kMachineByMac, mac.to_string()).value();
        switch (one.kind) {
            case News::Kind::wanted:
                ASSERT_TRUE(guests.offer(mac, one.address));
                break;
            case News::Kind::ack: {
                const auto own = guests.confirm(mac, one.address, one.at, one.seconds);
                ASSERT_TRUE(own);
                ASSERT_TRUE(*own) << one.address.to_string() << " is another machine's";
                break;
            }
            case News::Kind::release:
                ASSERT_TRUE(guests.give_back(mac, one.address));
                break;
            case News::Kind::decline:
                if (machine) {
                    ASSERT_TRUE(replace_declined(batch, appliance_, *machine, one.address));
                } else {
                    ASSERT_TRUE(guests.decline(mac, one.address));
                }
        }
    }
    void toggle_registration(unsigned n) {
        // What is under way about it is applied first: the window in between is documented in displace().
        apply(news_.size(), false);
        const auto mac = guest_mac(n).to_string();
        run([&](Batch& batch) -> Outcome<bool> {
            const auto known = find_by(batch, kMachines, kMachineByMac, mac).value();
            if (known) return remove_machine(batch, known->id);
            json fields = machine(n);
            fields["mac"] = mac;
            const auto made = register_machine(batch, appliance_, fields);
            if (!made) return pass_on(made.error());
            return true;
        });
    }
    void restart() {
        writer_.reset();
        store_.reset();
        store_ = open_store(directory_.path() + "/lmdb");
        writer_ = std::make_unique<Writer>(*store_);
    }

    void check_beliefs() {
        std::map<Ipv4Address, unsigned> owner;
        for (const auto& [machine, belief] : beliefs_) {
            if (belief.until <= now_) continue;
            const auto [other, alone] = owner.emplace(belief.address, machine);
            ASSERT_TRUE(alone) << belief.address.to_string() << " is used by " << other->second << " and "
                               << machine;
        }
    }
    // Every host's address is leased to it, no two have one address, and what is derived fits.
    void check_store() {
        const auto snapshot = store_->snapshot();
        std::map<Ipv4Address, MacAddress> hosts;
        ASSERT_TRUE(scan(snapshot->txn(), store_->tables().hosts, {}, [&](Bytes key, Bytes value) {
            MacAddress mac;
            std::memcpy(&mac, key.data(), sizeof mac);
            const auto host = decode<HostRecord>(value);
            if (host && host->network != 0) {
                EXPECT_TRUE(hosts.emplace(host->address, mac).second) << host->address.to_string();
            }
            return true;
        }));
        LeaseCounts counted;
        std::size_t timed = 0;
        ASSERT_TRUE(scan(snapshot->txn(), store_->tables().leases, {}, [&](Bytes key, Bytes value) {
            Ipv4Address at;
            std::memcpy(&at, key.data(), sizeof at);
            const auto lease = decode<LeaseRecord>(value);
            EXPECT_TRUE(lease);
            ++counted.states[static_cast<std::size_t>(lease->state) - 1];
            if (lease->is_taken() && lease->expires_unix != 0) ++counted.guests;
            if (!lease->is_taken() || lease->expires_unix != 0) ++timed;
            if (const auto host = hosts.find(at); host != hosts.end()) {
                EXPECT_EQ(host->second, lease->mac) << at.to_string();
                EXPECT_TRUE(lease->is_taken() && lease->state != LeaseState::abandoned);
                hosts.erase(host);
            }
            return true;
        }));
        EXPECT_TRUE(hosts.empty()) << "a host without a lease";
        EXPECT_EQ(counts().states, counted.states);
        EXPECT_EQ(counts().guests, counted.guests);
        EXPECT_EQ(*snapshot->txn().count(store_->own().lease_times), timed);
    }

    std::deque<News> news_;
    std::map<unsigned, Belief> beliefs_;
    unsigned guests_served_ = 0;
};

TEST_F(LeaseProperty, NoAddressIsEverTwoMachines) {
    serving_pool({{"range_start", "10.77.0.10"},
                  {"range_end", "10.77.0.39"},
                  {"guest_limit", 26},
                  {"quarantine_seconds", 2 * kLease}});
    std::mt19937 random(23);
    auto below = [&random](unsigned n) { return static_cast<unsigned>(random() % n); };
    for (int step = 0; step < 6000; ++step) {
        const unsigned n = below(kCrowd);
        switch (below(16)) {
            case 0:
                hand_back(n, News::Kind::release);
                break;
            case 1:
                if (below(4) == 0) hand_back(n, News::Kind::decline);
                break;
            case 2:
                if (below(3) == 0) toggle_registration(n);
                break;
            case 3:
                // Long, only when nothing is under way: events wait for milliseconds.
                if (news_.empty()) now_ += below(kLease);
                break;
            case 4:
                if (below(20) == 0) restart();
                break;
            case 5:
            case 6:
            case 7:
                apply(1 + below(8), below(4) == 0);
                break;
            case 8:
                now_ += below(2);
                break;
            default:
                if (below(2) == 0)
                    discover(n);
                else
                    request(n);
        }
        if (now_ - (news_.empty() ? now_ : news_.front().at) > 5) apply(news_.size(), false);
        check_beliefs();
        if (step % 20 == 0) check_store();
        ASSERT_FALSE(HasFailure()) << "step " << step;
    }
    EXPECT_GT(guests_served_, 100U) << "the test tests nothing";
    // Nobody renews any more: all of them end, and nothing is left of them but memory.
    apply(news_.size(), false);
    now_ += 10 * kLease;
    end_due();
    EXPECT_EQ(counts().guests, 0U);
    check_store();
}

}  // namespace
}  // namespace rouse::boot
