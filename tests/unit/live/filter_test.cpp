#include "mgmt/live/filter.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::live {
namespace {

using nlohmann::json;
using store::Kind;

class FilterTest : public ::testing::Test {
  protected:
    static Filter parse(std::string_view query) {
        return Filter::parse(http::Query::parse(query).value()).value();
    }
    static std::string refusal(std::string_view query) {
        const auto filter = Filter::parse(http::Query::parse(query).value());
        return filter ? "" : filter.error().detail;
    }
    static bool passes(const Filter& filter, Kind kind, const store::Id& id, const store::Id& cluster = {},
                       const store::Id& former = {}) {
        Message message;
        message.kind = kind;
        message.id = id;
        message.cluster = cluster;
        message.former_cluster = former;
        return filter.lets_through(message);
    }
    store::Id a_ = store::Id::make();
    store::Id b_ = store::Id::make();
};

TEST_F(FilterTest, WithoutParametersEverythingUntilTheFirstSubscription) {
    Filter filter = parse("");
    EXPECT_TRUE(passes(filter, Kind::machine, a_));
    ASSERT_TRUE(filter.add({{"kind", "image"}}));
    EXPECT_FALSE(passes(filter, Kind::machine, a_));
    EXPECT_TRUE(passes(filter, Kind::image, a_));
    ASSERT_TRUE(filter.remove({{"kind", json::array({"image"})}}));
    EXPECT_FALSE(passes(filter, Kind::image, a_));
    EXPECT_FALSE(filter.remove({{"kind", "image"}}));
}

TEST_F(FilterTest, OfEachListOneMustFit) {
    const Filter filter = parse("kind=machine,timeline&id=" + a_.to_string());
    EXPECT_TRUE(passes(filter, Kind::machine, a_));
    EXPECT_TRUE(passes(filter, Kind::timeline, a_));
    EXPECT_FALSE(passes(filter, Kind::cluster, a_));
    EXPECT_FALSE(passes(filter, Kind::machine, b_));
}

TEST_F(FilterTest, AClusterIsItselfItsMachinesAndThoseThatLeaveIt) {
    const Filter filter = parse("cluster=" + a_.to_string());
    EXPECT_TRUE(passes(filter, Kind::cluster, a_));
    EXPECT_FALSE(passes(filter, Kind::cluster, b_));
    EXPECT_TRUE(passes(filter, Kind::machine, b_, a_));
    EXPECT_TRUE(passes(filter, Kind::timeline, b_, a_));
    EXPECT_TRUE(passes(filter, Kind::machine, b_, {}, a_));
    EXPECT_FALSE(passes(filter, Kind::machine, a_, b_));
    EXPECT_FALSE(passes(filter, Kind::image, b_));
}

TEST_F(FilterTest, SubscriptionsAddUp) {
    Filter filter = parse("kind=image");
    ASSERT_TRUE(filter.add({{"id", a_.to_string()}}));
    ASSERT_TRUE(filter.add({{"id", a_.to_string()}}));
    EXPECT_EQ(filter.size(), 2U);
    EXPECT_TRUE(passes(filter, Kind::image, b_));
    EXPECT_TRUE(passes(filter, Kind::machine, a_));
    EXPECT_FALSE(passes(filter, Kind::machine, b_));
}

TEST_F(FilterTest, WrongWordsAreNamed) {
    EXPECT_NE(refusal("kind=user").find("machine"), std::string::npos);
    EXPECT_NE(refusal("kind=boot-token").find("there is no kind"), std::string::npos);
    EXPECT_NE(refusal("id=7").find("UUID"), std::string::npos);
    EXPECT_NE(refusal("cluster=edge").find("UUID"), std::string::npos);
    Filter filter = parse("");
    for (const json& wrong : {json(7), json::array(), json{{"colour", "red"}}, json{{"kind", 7}},
                              json{{"kind", json::array({json::object()})}}})
        EXPECT_FALSE(filter.add(wrong)) << wrong;
    EXPECT_TRUE(passes(filter, Kind::machine, a_));  // none of them changed anything
}

TEST_F(FilterTest, ItIsBounded) {
    Filter filter = parse("");
    json many = json::array();
    for (std::size_t i = 0; i <= Filter::kMaxMembers; ++i) many.push_back(store::Id::make().to_string());
    EXPECT_FALSE(filter.add({{"id", many}}));
    for (std::size_t i = 0; i < Filter::kMaxSubscriptions; ++i)
        ASSERT_TRUE(filter.add({{"id", store::Id::make().to_string()}}));
    EXPECT_FALSE(filter.add({{"kind", "image"}}));
}

}  // namespace
}  // namespace rouse::live
