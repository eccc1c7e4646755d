#include "mgmt/http/role.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::http {
namespace {

using testing::ElementsAre;
using enum Role;

TEST(Role, TheTableSaysWhoMayDoWhat) {
    struct Row {
        Role held;
        Roles may;
    };
    constexpr Roles kAllO2ims{o2ims_admin,      o2ims_reader,      o2ims_subscriber,
                              o2ims_maintainer, o2ims_provisioner, o2ims_deployer};
    const Row rows[] = {
        {viewer, {viewer, o2ims_reader}},
        {operator_, {operator_, viewer, o2ims_reader, o2ims_subscriber, o2ims_maintainer, o2ims_provisioner}},
        {administrator, kAllO2ims | Roles(administrator, operator_, viewer, worker)},
        {worker, worker},
        {o2ims_admin, kAllO2ims},
        {o2ims_reader, o2ims_reader},
        {o2ims_subscriber, o2ims_subscriber},
        {o2ims_maintainer, o2ims_maintainer},
        {o2ims_provisioner, o2ims_provisioner},
        {o2ims_deployer, o2ims_deployer},
    };
    ASSERT_EQ(std::size(rows), kRoleNames.size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
            const auto needed = static_cast<Role>(i);
            EXPECT_EQ(allows(row.held, needed), row.may.has(needed))
                << to_string(row.held) << " for " << to_string(needed);
        }
}

TEST(Role, InclusionIsTransitive) {
    for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
        const Roles once = Roles(static_cast<Role>(i)).with_included();
        EXPECT_EQ(once.with_included(), once) << kRoleNames[i];
    }
}

TEST(Role, SeveralRolesAddUp) {
    constexpr Roles kBoth{o2ims_subscriber, worker};
    EXPECT_TRUE(allows(kBoth, worker));
    EXPECT_TRUE(allows(kBoth, Roles(o2ims_reader, o2ims_subscriber)));
    EXPECT_FALSE(allows(kBoth, Roles(o2ims_reader, viewer)));
    EXPECT_FALSE(allows(Roles(), viewer));
}

TEST(Role, NamesAreThoseOfTheTable) {
    for (const auto name : kRoleNames) EXPECT_EQ(to_string(*parse_role(name)), name);
    EXPECT_FALSE(parse_role("king"));
    constexpr Roles kSome{worker, operator_};
    EXPECT_THAT(kSome.names(), ElementsAre("operator", "worker"));
    EXPECT_EQ(to_string(kSome, "and"), "operator and worker");
    EXPECT_EQ(kSome.foremost(), operator_);
    EXPECT_EQ(Roles().foremost(), std::nullopt);
}

}  // namespace
}  // namespace rouse::http
