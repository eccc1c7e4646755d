#include "mgmt/http/uri.hpp"

#include <random>

#include <gtest/gtest.h>

namespace rouse::http {
namespace {

TEST(PercentDecode, DecodesAndRefuses) {
    EXPECT_EQ(percent_decode("a%2Fb%20c+d"), "a/b c+d");
    EXPECT_EQ(percent_decode("c+d", true), "c d");
    EXPECT_EQ(percent_decode("%C3%A4"), "ä");
    EXPECT_EQ(percent_decode(""), "");
    for (const char* text : {"%", "%2", "a%zz", "%2g", "%00", "%ff", "%c3", "%C0%AF", "%ed%a0%80", "\xff"})
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(PercentEncode, RoundTripsAnyText) {
    EXPECT_EQ(percent_encode("boot/x64 ü", "/"), "boot/x64%20%C3%BC");
    std::mt19937 random(7);
    for (int round = 0; round < 1000; ++round) {
        std::string text;
        for (unsigned i = 0; i < random() % 20; ++i) text += static_cast<char>(1 + random() % 126);
        EXPECT_EQ(percent_decode(percent_encode(text)), text);
    }
}

TEST(IsUtf8, FollowsRfc3629) {
    for (const char* text : {"", "plain", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_utf8(text)) << text;
    for (const char* text : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "a\xc3(", "\xfe"})
        EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(Query, KeepsTheRawTextAndDecodesPairs) {
    const auto query = Query::parse("filter=(eq,name,a);(gt,n,1)&all_fields&q=a+b%26c&q=second&&=x");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->raw(), "filter=(eq,name,a);(gt,n,1)&all_fields&q=a+b%26c&q=second&&=x");
    EXPECT_EQ(query->find("filter"), "(eq,name,a);(gt,n,1)");
    EXPECT_EQ(query->find("all_fields"), "");
    EXPECT_EQ(query->find("q"), "a b&c");
    EXPECT_FALSE(query->has("missing"));
    EXPECT_EQ(query->pairs().size(), 5U);
}

TEST(Query, RefusesWhatCannotBeDecoded) {
    for (const char* raw : {"a=%", "%zz=1", "a=%ff", "a=%00"}) {
        const auto query = Query::parse(raw);
        ASSERT_FALSE(query) << raw;
        EXPECT_EQ(query.error().status, Status::bad_request);
    }
}

TEST(Query, IntegersHaveBoundsAndAName) {
    const auto query = Query::parse("a=5&b=-1&c=&d=99999999999999999999&e=5x").value();
    EXPECT_EQ(query.integer("a", 1, 0, 5).value(), 5U);
    EXPECT_EQ(query.integer("missing", 42, 0, 50).value(), 42U);
    EXPECT_FALSE(query.integer("a", 1, 0, 4));
    for (const char* name : {"b", "c", "d", "e"}) {
        const auto value = query.integer(name, 1, 0, 10);
        ASSERT_FALSE(value) << name;
        EXPECT_EQ(value.error().detail,
                  "query parameter \"" + std::string(name) + "\" must be a whole number from 0 to 10");
    }
}

}  // namespace
}  // namespace rouse::http
