// The protocol between a centre and its workers as a model on a fake clock, under random schedules: networks
// that part, messages that are lost or late, appliances that die and return, addresses that change, racks
// that an operator moves. At no instant do two appliances answer one machine differently.

#include "mgmt/workers/assignment.hpp"

#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace rouse::workers {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kTenure = 90;  // seconds: short, so that many end within a schedule
constexpr unsigned kMachines = 3;

// What a document of the rack says, at the centre or in a replica.
struct Documents {
    std::string holder;
    std::map<unsigned, unsigned> addresses;
    std::set<unsigned> held;
    std::uint64_t sequence = 0;
};

struct Appliance {
    bool runs = true;
    bool reaches_centre = true;
    Documents replica;
    std::uint64_t serves_until = 0;  // seconds
};

struct Answer {
    std::string to;
    Documents documents;
    std::uint64_t asked_at;
    std::uint64_t arrives_at;
};

class Model {
  public:
    explicit Model(unsigned seed) : dice_(seed) {
        for (unsigned m = 0; m < kMachines; ++m) {
            truth_.addresses[m] = ++last_address_;
            addressed_[m] = 0;
        }
        for (const char* id : {"w", "s", "x"}) {
            workers_[id];
            beat_at_[id] = answered_at_[id] = now_;
        }
        assign();
    }

    void run(unsigned seconds) {
        for (unsigned i = 0; i < seconds && !::testing::Test::HasFailure(); ++i) {
            for (unsigned n = 0; n < 3; ++n) chance();
            turn();
        }
    }
    // Everything is well again: in the end one appliance answers each machine, and no fence is left.
    void settle() {
        centre_runs_ = true;
        for (auto& [id, worker] : workers_) worker.runs = worker.reaches_centre = true;
        for (unsigned i = 0; i < 2 * kTenure + 60; ++i) turn();
        EXPECT_TRUE(assignment_.fences.empty());
        for (unsigned m = 0; m < kMachines; ++m) EXPECT_EQ(answers_to(m).size(), 1U) << "machine " << m;
    }
    [[nodiscard]] unsigned changes() const { return changes_; }
    [[nodiscard]] unsigned take_overs() const { return take_overs_; }

  private:
    bool one_in(unsigned n) { return std::uniform_int_distribution<unsigned>(1, n)(dice_) == 1; }
    std::string any() { return std::vector<std::string>{"w", "s", "x"}[dice_() % 3]; }

    Peers peers() {
        return [this](const std::string& id) {
            return Peer{now_ - beat_at_[id] < kLostNs / kSecond, confirmed_[id], told_[id],
                        (answered_at_[id] + kTenure) * kSecond};
        };
    }
    Moment moment() { return {now_ * kSecond, truth_.sequence, "c"}; }

    void decide(const Assignment& next) {
        if (next == assignment_) return;
        const bool changes_hands = next.holder != assignment_.holder;
        const bool leaves_a_fence = next.fences.size() > 0 && next.fences.back().worker == assignment_.holder;
        if (changes_hands && leaves_a_fence)
            for (unsigned m = 0; m < kMachines; ++m)
                if (must_hold(addressed_[m], peers()(assignment_.holder))) truth_.held.insert(m);
        if (next.fences.empty()) truth_.held.clear();
        take_overs_ += changes_hands ? 1 : 0;
        assignment_ = next;
        truth_.holder = next.holder.empty() ? "c" : next.holder;
        ++truth_.sequence;
    }
    void assign() {
        const std::string worker = one_in(5) ? "" : any();
        const std::string standby = one_in(4) ? "c" : any();
        decide(workers::assign(assignment_, worker, standby == worker ? "" : standby, one_in(2), peers(),
                               moment()));
    }
    void chance() {
        auto& worker = workers_[any()];
        if (one_in(40)) worker.reaches_centre = !worker.reaches_centre;
        if (one_in(80)) worker.runs = !worker.runs;
        if (one_in(200)) {
            centre_runs_ = !centre_runs_;
            // One that comes back knows of nobody's last word, and presumes the latest.
            for (auto& [id, at] : beat_at_) at = answered_at_[id] = now_;
            for (const auto& entry : workers_) told_[entry.first] = UINT64_MAX;
        }
        if (!centre_runs_) return;
        if (one_in(300)) assign();
        if (one_in(100)) decide(hand_back(assignment_, peers(), moment()));
        if (one_in(10)) change_address(static_cast<unsigned>(dice_() % kMachines));
    }
    void change_address(unsigned machine) {
        drop_old_fences();
        if (!assignment_.fences.empty()) return;  // refused
        addressed_[machine] = truth_.sequence;
        truth_.addresses[machine] = ++last_address_;
        ++truth_.sequence;
        ++changes_;
    }
    // boot::stands() looks at the moment, and does not wait for the coordinator.
    void drop_old_fences() {
        auto now = assignment_;
        std::erase_if(now.fences, [&](const boot::Fence& fence) {
            return now_ * kSecond >= fence.until_ns || confirmed_[fence.worker] > fence.after;
        });
        decide(now);
    }
    void turn() {
        ++now_;
        for (auto& [id, worker] : workers_)
            if (worker.runs && worker.reaches_centre && centre_runs_) talk(id, worker);
        std::erase_if(under_way_, [this](const Answer& answer) {
            if (answer.arrives_at > now_) return false;
            auto& worker = workers_[answer.to];
            if (worker.runs && answer.documents.sequence >= worker.replica.sequence) {
                worker.replica = answer.documents;
                worker.serves_until = std::max(worker.serves_until, answer.asked_at + kTenure);
            }
            return true;
        });
        if (centre_runs_) decide(next(assignment_, peers(), moment()));
        check();
    }
    void talk(const std::string& id, Appliance& worker) {
        beat_at_[id] = now_;
        if (!one_in(3)) return;
        confirmed_[id] = std::max(confirmed_[id], worker.replica.sequence);
        answered_at_[id] = now_;
        if (told_[id] != UINT64_MAX) told_[id] = std::max(told_[id], truth_.sequence);
        if (one_in(4)) return;  // lost on the way
        const std::uint64_t delay = one_in(5) ? dice_() % 40 : 0;
        under_way_.push_back({id, truth_, now_, now_ + delay});
    }

    std::set<unsigned> answers_to(unsigned machine) {
        std::set<unsigned> answers;
        if ((truth_.holder.empty() || truth_.holder == "c") && !truth_.held.contains(machine))
            answers.insert(truth_.addresses.at(machine));
        for (const auto& [id, worker] : workers_)
            if (worker.runs && now_ < worker.serves_until && worker.replica.holder == id &&
                !worker.replica.held.contains(machine))
                answers.insert(worker.replica.addresses.at(machine));
        return answers;
    }
    void check() {
        for (unsigned m = 0; m < kMachines; ++m)
            ASSERT_LE(answers_to(m).size(), 1U)
                << "at " << now_ << " s machine " << m << " is answered in more than one way";
    }

    std::mt19937 dice_;
    std::uint64_t now_ = 1000;
    bool centre_runs_ = true;
    Documents truth_;
    Assignment assignment_;
    std::map<unsigned, std::uint64_t> addressed_;
    std::map<std::string, Appliance> workers_;
    std::map<std::string, std::uint64_t> beat_at_, answered_at_, confirmed_, told_;
    std::vector<Answer> under_way_;
    unsigned last_address_ = 0;
    unsigned changes_ = 0;
    unsigned take_overs_ = 0;
};

TEST(AssignmentModel, NoMachineIsAnsweredInTwoWays) {
    unsigned changes = 0, take_overs = 0;
    for (unsigned seed = 1; seed <= 400 && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Model model(seed);
        model.run(1500);
        if (!::testing::Test::HasFailure()) model.settle();
        changes += model.changes();
        take_overs += model.take_overs();
    }
    // The schedules do what they are for.
    EXPECT_GT(changes, 10'000U);
    EXPECT_GT(take_overs, 1'000U);
}

}  // namespace
}  // namespace rouse::workers
