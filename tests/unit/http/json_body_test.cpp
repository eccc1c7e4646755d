#include "mgmt/http/json_body.hpp"

#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(ParseJson, BuildsTheDocument) {
    const char* text = R"( {"a":[1,-2,2.5,true,null,{"b":"ä\u00e4"},[]],"c":18446744073709551615,"":{}} )";
    EXPECT_EQ(parse_json(text).value(), json::parse(text));
    EXPECT_EQ(parse_json("3").value(), json(3));
}

struct BadText {
    const char* text;
    const char* says;
};

class ParseJsonRefuses : public testing::TestWithParam<BadText> {};

TEST_P(ParseJsonRefuses, WithASpecific400) {
    const auto document = parse_json(GetParam().text);
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().status, Status::bad_request);
    EXPECT_THAT(document.error().detail, HasSubstr(GetParam().says));
    EXPECT_LT(document.error().detail.size(), 300U);
    EXPECT_FALSE(to_json(document.error()).dump(-1, ' ', true, json::error_handler_t::replace).empty());
}

INSTANTIATE_TEST_SUITE_P(
    Texts, ParseJsonRefuses,
    testing::Values(BadText{"", "empty"}, BadText{" \r\n\t", "empty"}, BadText{"{", "line 1, column 2"},
                    BadText{"{\"a\":1,}", "not valid JSON"}, BadText{"{} x", "not valid JSON"},
                    BadText{"NaN", "not valid JSON"}, BadText{"[Infinity]", "not valid JSON"},
                    BadText{"1e999", "overflow"}, BadText{"'a'", "not valid JSON"},
                    BadText{"\"\xff\"", "UTF-8"}, BadText{"\"\xed\xa0\x80\"", "UTF-8"},
                    BadText{"\"a\nb\"", "control character"}, BadText{"{\"a\":1}//", "not valid JSON"}));

TEST(ParseJson, NamesADuplicateKeyByItsPointer) {
    const auto document = parse_json(R"({"list":[{}, {"a/b":{"x":1,"y":2,"x":3}}]})");
    ASSERT_FALSE(document);
    ASSERT_EQ(document.error().errors.size(), 1U);
    EXPECT_EQ(document.error().errors[0].pointer, "/list/1/a~1b/x");
    EXPECT_THAT(document.error().errors[0].detail, HasSubstr("twice"));
}

TEST(ParseJson, LimitsTheDepth) {
    const std::string open(kMaxJsonDepth, '[');
    EXPECT_TRUE(parse_json(open + std::string(kMaxJsonDepth, ']')));
    const auto deeper = parse_json("[" + open + std::string(kMaxJsonDepth + 1, ']'));
    ASSERT_FALSE(deeper);
    EXPECT_THAT(deeper.error().detail, HasSubstr("deeper than 32"));
    EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(ParseJson, QuotesNoMoreThanABitOfAHugeBody) {
    const auto document = parse_json("\"" + std::string(1'000'000, 'x'));
    ASSERT_FALSE(document);
    EXPECT_LT(document.error().detail.size(), 300U);
}

OrProblem<json> read(BodyText& body, std::size_t limit, const char* type = nullptr) {
    Request request;
    request.set_body(body);
    if (type != nullptr) request.headers.add("content-type", type);
    return run_to_end(read_json(request, limit));
}

TEST(ReadJson, ReadsPiecesUpToTheLimit) {
    const std::string text = R"({"name":"a body in several pieces"})";
    BodyText fits(text);
    EXPECT_EQ(read(fits, text.size()).value(), json::parse(text));
    BodyText too_long(text);
    EXPECT_EQ(read(too_long, text.size() - 1).error().status, Status::content_too_large);
    BodyText announced("");
    announced.announced = 1'000'000'000'000;
    EXPECT_EQ(read(announced, 100).error().status, Status::content_too_large);
    EXPECT_EQ(announced.offset, 0U);
}

TEST(ReadJson, ChecksTheContentType) {
    for (const char* type :
         {"application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"}) {
        BodyText body("{}");
        EXPECT_TRUE(read(body, 10, type)) << type;
    }
    for (const char* type : {"text/xml", "application/x-www-form-urlencoded", "json", "", "+json"}) {
        BodyText body("{}");
        EXPECT_EQ(read(body, 10, type).error().status, Status::unsupported_media_type) << type;
    }
}

TEST(ReadJson, ACutBodyIsNoDocument) {
    BodyText body("{}");
    body.cut = true;
    EXPECT_EQ(read(body, 100).error().detail, "cut");
}

}  // namespace
}  // namespace rouse::http
