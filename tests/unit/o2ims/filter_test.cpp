#include "mgmt/o2ims/query/filter.hpp"

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;

const http::Schema& part_schema() {
    static const http::Schema schema("Part", "A part of a server",
                                     {http::string("kind", "what it is"), http::integer("size", "GiB")});
    return schema;
}

const http::Schema& server_schema() {
    static const http::Schema schema(
        "Server", "What is filtered here",
        {http::uuid("resourceId", "its id").required(), http::string("name", "its name").required(),
         http::integer("cores", "how many"), http::boolean("isOn", "whether it runs"),
         http::timestamp("seen", "when it was last seen"), http::array(http::string("tags", "words")),
         http::array(http::object("parts", "what it is made of", part_schema())),
         http::map("labels", "by name", {}, http::string("label", "a word")),
         http::any("extensions", "whatever else is known")});
    return schema;
}

const json& server() {
    static const json object{{"resourceId", "0192f0c0-0000-7000-8000-00000000000a"},
                             {"name", "rack 7, it's (new)"},
                             {"cores", 64},
                             {"isOn", true},
                             {"seen", "2026-11-20T12:00:00Z"},
                             {"tags", {"gpu", "edge"}},
                             {"parts", {{{"kind", "disk"}, {"size", 480}}, {{"kind", "nic"}}}},
                             {"labels", {{"zone", "a"}, {"a/b", "c"}, {"@x~", "y"}}},
                             {"extensions", {{"memoryGib", 512}, {"vendor", "ACME"}, {"isBlade", false}}}};
    return object;
}

bool holds(const std::string& filter) {
    const auto parsed = Filter::parse(filter, server_schema());
    EXPECT_TRUE(parsed) << filter << ": " << (parsed ? "" : parsed.error().detail);
    if (!parsed) return false;
    const bool matches = parsed->matches(server());
    EXPECT_EQ(parsed->matches_text(server().dump()), matches) << filter << " of the object's text";
    return matches;
}

std::string refusal(const std::string& filter) {
    const auto parsed = Filter::parse(filter, server_schema());
    EXPECT_FALSE(parsed) << filter;
    if (parsed) return {};
    EXPECT_EQ(parsed.error().status, http::Status::bad_request);
    return parsed.error().detail;
}

TEST(O2imsFilter, ComparesByTheAttributesType) {
    EXPECT_TRUE(holds("(eq,cores,64)"));
    EXPECT_TRUE(holds("(eq,cores,64.0)"));
    EXPECT_TRUE(holds("(gt,cores,9)"));  // as text it would be less
    EXPECT_FALSE(holds("(lt,cores,64)"));
    EXPECT_TRUE(holds("(lte,cores,64)"));
    EXPECT_TRUE(holds("(gte,cores,64)"));
    EXPECT_TRUE(holds("(eq,isOn,true)"));
    EXPECT_TRUE(holds("(neq,isOn,false)"));
    EXPECT_TRUE(holds("(eq,seen,2026-11-20T13:00:00+01:00)"));
    EXPECT_TRUE(holds("(gt,seen,2026-11-20T11:59:59.9Z)"));
    EXPECT_TRUE(holds("(eq,resourceId,0192F0C0-0000-7000-8000-00000000000A)"));
    EXPECT_FALSE(holds("(eq,name,RACK 7)"));
}

TEST(O2imsFilter, QuotedValuesHoldAnything) {
    EXPECT_TRUE(holds("(eq,name,'rack 7, it''s (new)')"));
    EXPECT_TRUE(holds("(cont,name,'it''s',nothing)"));
    EXPECT_FALSE(holds("(ncont,name,'(new)')"));
    EXPECT_FALSE(holds("(eq,name,'')"));
    EXPECT_FALSE(holds("(eq,name,)"));
}

TEST(O2imsFilter, EveryTermMustHold) {
    EXPECT_TRUE(holds("(eq,cores,64);(cont,name,rack)"));
    EXPECT_FALSE(holds("(eq,cores,64);(cont,name,other)"));
}

TEST(O2imsFilter, SeveralValuesAreAlternatives) {
    EXPECT_TRUE(holds("(in,cores,1,64)"));
    EXPECT_FALSE(holds("(in,cores,1,2)"));
    EXPECT_TRUE(holds("(nin,cores,1,2)"));
    EXPECT_FALSE(holds("(nin,cores,1,64)"));
}

TEST(O2imsFilter, GoesThroughListsMapsAndObjects) {
    EXPECT_TRUE(holds("(eq,tags,edge)"));
    EXPECT_FALSE(holds("(eq,tags,core)"));
    EXPECT_TRUE(holds("(eq,parts/kind,nic)"));
    EXPECT_TRUE(holds("(gte,parts/size,480)"));
    EXPECT_FALSE(holds("(gt,parts/size,480)"));
    EXPECT_TRUE(holds("(eq,labels/zone,a)"));
    EXPECT_TRUE(holds("(eq,labels/a~1b,c)"));
    EXPECT_TRUE(holds("(eq,labels/~bx~0,y)"));
    EXPECT_TRUE(holds("(eq,labels/@key,zone)"));
    EXPECT_FALSE(holds("(eq,labels/@key,a)"));
    EXPECT_TRUE(holds("(gt,extensions/memoryGib,256)"));
    EXPECT_TRUE(holds("(eq,extensions/vendor,ACME)"));
    EXPECT_TRUE(holds("(eq,extensions/isBlade,false)"));
}

TEST(O2imsFilter, WhatAnObjectHasNotIsFalseNotAnError) {
    EXPECT_FALSE(holds("(eq,extensions/nothing,1)"));
    EXPECT_FALSE(holds("(neq,extensions/nothing,1)"));
    EXPECT_FALSE(holds("(nin,labels/none,1)"));
    EXPECT_FALSE(holds("(eq,extensions/memoryGib,much)"));
    EXPECT_FALSE(holds("(eq,extensions,ACME)"));  // an object is not a value
}

TEST(O2imsFilter, SaysWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "needs \"(\""},
        {"eq,cores,1", "needs \"(\""},
        {"(eq,cores,1", "needs \")\""},
        {"(eq,cores)", "needs \",\" and a value"},
        {"(eq)", "needs \",\" and an attribute"},
        {"(like,name,x)", "has the operator \"like\""},
        {"(EQ,name,x)", "has the operator \"EQ\""},
        {"(eq,nothing,x)", "no attribute \"nothing\" in Server"},
        {"(eq,parts/nothing,x)", "no attribute \"parts/nothing\""},
        {"(eq,name/more,x)", "no attribute \"name/more\""},
        {"(eq,name/@key,x)", "no attribute \"name/@key\""},
        {"(eq,labels/@key/x,x)", "no attribute"},
        {"(eq,labels/~2,x)", "no attribute"},
        {"(eq,/name,x)", "no attribute"},
        {"(eq,,x)", "no attribute"},
        {"(eq,parts,x)", "compares parts, which is an object"},
        {"(eq,labels,x)", "compares labels, which is an object"},
        {"(eq,cores,many)", "compares cores with \"many\", which is not a number"},
        {"(eq,cores,1x)", "which is not a number"},
        {"(neq,cores,nan)", "which is not a number"},
        {"(lt,cores,inf)", "which is not a number"},
        {"(eq,isOn,yes)", "which is not true or false"},
        {"(gt,isOn,true)", "by order"},
        {"(gt,seen,yesterday)", "which is not a time"},
        {"(eq,cores,1,2)", "takes one"},
        {"(eq,name,'x)", "at the end of a quoted value"},
        {"(eq,name,x)(eq,name,y)", "between two terms"},
        {"(eq,name,x);", "needs \"(\""},
        {"(eq,name,x),", "between two terms"},
    };
    for (const auto& [filter, reason] : cases)
        EXPECT_NE(refusal(filter).find(reason), std::string::npos) << filter << ": " << refusal(filter);
}

TEST(O2imsFilter, IsBounded) {
    std::string terms = "(eq,cores,1)";
    for (std::size_t i = 1; i < Filter::kMaxTerms; ++i) terms += ";(eq,cores,1)";
    EXPECT_TRUE(Filter::parse(terms, server_schema()));
    EXPECT_NE(refusal(terms + ";(eq,cores,1)").find("more than 32"), std::string::npos);
    std::string values = "(in,cores";
    for (std::size_t i = 0; i <= Filter::kMaxValues; ++i) values += ",1";
    EXPECT_NE(refusal(values + ")").find("more than 1000 values"), std::string::npos);
}

TEST(O2imsFilter, TellsWhatAnIndexMayFind) {
    const auto parsed = Filter::parse("(neq,cores,1);(eq,name,'a b')", server_schema());
    ASSERT_TRUE(parsed);
    ASSERT_NE(parsed->equals("name"), nullptr);
    EXPECT_EQ(*parsed->equals("name"), "a b");
    EXPECT_EQ(parsed->equals("cores"), nullptr);
}

}  // namespace
}  // namespace rouse::o2ims
