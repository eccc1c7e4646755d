#include "mgmt/events/boot_stage.hpp"

#include "mgmt/store/collections.hpp"

#include <algorithm>
#include <queue>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace rouse::events {
namespace {

using enum BootStage;
using enum BootTrigger;

std::vector<BootStage> all_stages() {
    std::vector<BootStage> out;
    for (std::size_t i = 0; i < kBootStages.size(); ++i) out.push_back(static_cast<BootStage>(i));
    return out;
}
std::vector<BootTrigger> all_triggers() {
    std::vector<BootTrigger> out;
    for (std::size_t i = 0; i < kBootTriggers.size(); ++i) out.push_back(static_cast<BootTrigger>(i));
    return out;
}
std::string name_of(BootStage stage, BootTrigger trigger) {
    return std::string(info(stage).name) + " × " +
           std::string(kBootTriggers[static_cast<std::size_t>(trigger)]);
}

// What must hold, said once more and differently: by rules instead of by a table.
BootStage expected(BootStage stage, BootTrigger trigger) {
    const bool loading = stage == discovering || stage == offered || stage == addressed ||
                         stage == transferring || stage == transfer_failed || stage == file_missing ||
                         stage == delivered;
    switch (trigger) {
        case begin:
            return discovering;
        case chain:
            return loading ? discovering : stage;
        case offer:
            return stage == discovering ? offered : stage;
        case ack:
            return stage == discovering || stage == offered || stage == failed ? addressed : stage;
        case transfer_begin:
            return loading || stage == failed || stage == handed_over ? transferring : stage;
        case transfer_probe:
            return stage == transferring ? addressed : stage;
        case transfer_end:
            return loading || stage == failed ? delivered : stage;
        case transfer_break:
            return loading ? transfer_failed : stage;
        case file_miss:
            return loading ? file_missing : stage;
        case kernel_report:
            return kernel_up;
        case home_report:
            return home;
        case expiry:
            return loading || stage == kernel_up ? failed : stage;
        case expiry_unwatched:
            return stage == delivered ? handed_over : loading || stage == kernel_up ? failed : stage;
    }
    return stage;
}

TEST(BootStage, EveryStageByEveryTriggerIsAsTheRulesSay) {
    for (const auto stage : all_stages())
        for (const auto trigger : all_triggers())
            EXPECT_EQ(info(next_stage(stage, trigger)).name, info(expected(stage, trigger)).name)
                << name_of(stage, trigger);
}

TEST(BootStage, EveryStageIsReachedAndNoneIsATrap) {
    std::set<BootStage> seen{idle};
    std::queue<BootStage> next;
    next.push(idle);
    for (; !next.empty(); next.pop())
        for (const auto trigger : all_triggers())
            if (const auto to = next_stage(next.front(), trigger); seen.insert(to).second) next.push(to);
    EXPECT_EQ(seen.size(), kBootStages.size());
    for (const auto stage : all_stages()) {
        EXPECT_EQ(next_stage(stage, begin), discovering);
        // A stage that ends by a deadline is left by it, for one that does not end.
        for (const auto trigger : {expiry, expiry_unwatched})
            EXPECT_EQ(info(next_stage(stage, trigger)).seconds, 0U) << name_of(stage, trigger);
    }
}

TEST(BootStage, ShowsOnlyStatusesThatMachinesHave) {
    const std::set<std::string_view> healths{"", "HEALTHY", "WARNING", "CRITICAL", "UNKNOWN"};
    for (const auto& stage : kBootStages) {
        EXPECT_TRUE(stage.status.empty() || std::count(store::kMachineStatuses.begin(),
                                                       store::kMachineStatuses.end(), stage.status) == 1)
            << stage.status;
        EXPECT_TRUE(healths.contains(stage.health)) << stage.health;
    }
    EXPECT_EQ(info(home).status, "ACTIVE");
    EXPECT_EQ(info(failed).status, "ERROR");
    EXPECT_EQ(info(discovering).status, "DEPLOYING");
}

}  // namespace
}  // namespace rouse::events
