#include "mgmt/o2ims/query/selection.hpp"

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;

const http::Schema& part_schema() {
    static const http::Schema schema("SelectedPart", "A part",
                                     {http::string("kind", "what it is"), http::integer("size", "GiB")});
    return schema;
}

const http::Schema& thing_schema() {
    static const http::Schema schema(
        "Thing", "What is shown here",
        {http::string("id", "its id").read_only(), http::string("name", "its name").required(),
         http::string("location", "where it is"),
         http::array(http::object("parts", "what it is made of", part_schema())),
         http::any("extensions", "whatever else is known")});
    return schema;
}

json shown(const std::string& raw, std::initializer_list<std::string_view> defaults = {}) {
    const json thing{{"id", "1"},
                     {"name", "a"},
                     {"location", "here"},
                     {"parts", {{{"kind", "disk"}, {"size", 1}}, {{"kind", "nic"}}}},
                     {"extensions", {{"x", 1}, {"y", 2}}}};
    const auto query = http::Query::parse(raw);
    EXPECT_TRUE(query);
    const auto selection = Selection::parse(*query, thing_schema(), defaults);
    EXPECT_TRUE(selection) << raw;
    return selection ? selection->apply(thing) : json();
}

std::vector<std::string> names(const json& object) {
    std::vector<std::string> out;
    for (const auto& [name, value] : object.items()) out.push_back(name);
    return out;
}

using Names = std::vector<std::string>;

TEST(O2imsSelection, WithoutAWordEverythingButTheDefaultsIsShown) {
    EXPECT_EQ(names(shown("")), (Names{"extensions", "id", "location", "name", "parts"}));
    EXPECT_EQ(names(shown("", {"parts"})), (Names{"extensions", "id", "location", "name"}));
    EXPECT_EQ(names(shown("exclude_default", {"parts"})), (Names{"extensions", "id", "location", "name"}));
    EXPECT_EQ(names(shown("all_fields", {"parts"})),
              (Names{"extensions", "id", "location", "name", "parts"}));
    EXPECT_EQ(names(shown("all_fields=true", {"parts"})).size(), 5U);
    EXPECT_EQ(names(shown("all_fields=false", {"parts"})).size(), 4U);
}

TEST(O2imsSelection, FieldsAreShownBesideWhatIdentifiesAndWhatIsRequired) {
    EXPECT_EQ(names(shown("fields=location")), (Names{"id", "location", "name"}));
    EXPECT_EQ(names(shown("fields=name")), (Names{"id", "name"}));
    EXPECT_EQ(shown("fields=extensions/y")["extensions"], (json{{"y", 2}}));
    EXPECT_EQ(names(shown("fields=extensions/none")), (Names{"id", "name"})) << "no null in its place";
    EXPECT_EQ(names(shown("fields=extensions/x/none")), (Names{"id", "name"}));
    EXPECT_EQ(names(shown("fields=extensions/x&exclude_fields=extensions/x")), (Names{"id", "name"}));
    EXPECT_EQ(shown("fields=extensions/y,extensions/none")["extensions"], (json{{"y", 2}}));
    EXPECT_EQ(shown("fields=parts/kind")["parts"], (json{{{"kind", "disk"}}, {{"kind", "nic"}}}));
    EXPECT_EQ(shown("fields=(parts,location)")["location"], "here");
    EXPECT_EQ(names(shown("fields=parts", {"parts"})), (Names{"id", "name", "parts"}));
    EXPECT_EQ(names(shown("fields=parts&exclude_default", {"parts"})), (Names{"id", "name"}));
}

TEST(O2imsSelection, ExcludedFieldsGoButForWhatIdentifiesAndWhatIsRequired) {
    EXPECT_EQ(names(shown("exclude_fields=location,parts,id")), (Names{"extensions", "id", "name"}));
    EXPECT_EQ(shown("exclude_fields=extensions/x")["extensions"], (json{{"y", 2}}));
    EXPECT_EQ(shown("exclude_fields=parts/size")["parts"], (json{{{"kind", "disk"}}, {{"kind", "nic"}}}));
    EXPECT_EQ(names(shown("fields=location,parts&exclude_fields=location")), (Names{"id", "name", "parts"}));
}

TEST(O2imsSelection, WhatIsWrongIsRefused) {
    for (const char* raw :
         {"fields=(a,WrongAttrName)", "fields=nothing", "exclude_fields=parts/nothing", "all_fields=maybe",
          "all_fields&fields=name", "fields=name/@key", "fields=a//b"}) {
        const auto query = http::Query::parse(raw);
        ASSERT_TRUE(query);
        const auto selection = Selection::parse(*query, thing_schema());
        ASSERT_FALSE(selection) << raw;
        EXPECT_EQ(selection.error().status, http::Status::bad_request);
    }
}

}  // namespace
}  // namespace rouse::o2ims
