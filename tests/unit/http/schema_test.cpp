#include "mgmt/http/schema.hpp"

#include "mgmt/http/json_types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::http {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

bool has_no_dot(std::string_view text) {
    return text.find('.') == std::string_view::npos;
}

const Schema kDisk("Disk", "A disk",
                   {string("device", "its name").required().length(1, 8), integer("gib", "its size")});

const Schema kMachine(
    "Machine", "A machine",
    {
        uuid("id", "identifies it").read_only(),
        string("hostname", "its name").required().length(1, 10).check(has_no_dot, "must not hold a dot"),
        mac("mac", "its address").required(),
        ipv4("ip", "its IPv4 address"),
        prefix("network", "where it is"),
        uuid("cluster", "what it belongs to"),
        choice("role", "what it is for", {"MASTER", "WORKER"}).default_to("WORKER"),
        integer("cores", "of its CPU").range(1, 4096),
        number("load", "of its CPU").range(0, 1),
        boolean("enabled", "whether it is served").default_to(true),
        array(ipv4("dns", "resolvers")).items(0, 2),
        map("loaders", "by architecture", {"bios", "x64-uefi"}, string("", "")),
        map("labels", "any", {}, string("", "").length(0, 5)).items(0, 3),
        array(object("disks", "its disks", kDisk)),
        object("boot_disk", "its first disk", kDisk),
        string("note", "for people").multiline(),
        string("password", "of its console").write_only(),
        any("extensions", "anything"),
        timestamp("created_at", "when it was made").read_only(),
    });

json minimal() {
    return {{"hostname", "node-1"}, {"mac", "52-54-00-AB-CD-EF"}};
}

TEST(SchemaAccept, MakesCanonicalValuesAndFillsDefaultsIn) {
    json body = minimal();
    body["id"] = "whatever a client sends back";
    body["cluster"] = "0B9C2F4E-5D1A-4C3B-9E8F-7A6B5C4D3E2F";
    body["ip"] = nullptr;
    const json expected = {{"hostname", "node-1"},
                           {"mac", "52:54:00:ab:cd:ef"},
                           {"cluster", "0b9c2f4e-5d1a-4c3b-9e8f-7a6b5c4d3e2f"},
                           {"role", "WORKER"},
                           {"enabled", true}};
    EXPECT_EQ(kMachine.accept(body).value(), expected);
}

TEST(SchemaAccept, TakesEveryKindOfField) {
    json body = minimal();
    body.update({{"ip", "10.77.0.9"},
                 {"network", "10.77.0.0/16"},
                 {"role", "MASTER"},
                 {"cores", 4096},
                 {"load", 0.5},
                 {"enabled", false},
                 {"dns", {"10.0.0.1", "10.0.0.2"}},
                 {"loaders", {{"bios", "undionly.kpxe"}}},
                 {"labels", {{"a", "1"}, {"b", ""}}},
                 {"disks", {{{"device", "sda"}, {"gib", 10}}}},
                 {"boot_disk", {{"device", "sda"}}},
                 {"note", "two\nlines"},
                 {"password", "x"},
                 {"extensions", {1, "two", nullptr}}});
    json expected = body;
    expected["mac"] = "52:54:00:ab:cd:ef";
    const auto accepted = kMachine.accept(body).value();
    EXPECT_EQ(accepted, expected);
    EXPECT_EQ(kMachine.accept(accepted).value(), accepted);
    EXPECT_EQ(accepted.at("ip").get<Ipv4Address>().to_string(), "10.77.0.9");
    EXPECT_EQ(json(accepted.at("mac").get<MacAddress>()), accepted.at("mac"));
}

struct BadMember {
    const char* name;
    json value;
    const char* pointer;
    const char* says;
};
void PrintTo(const BadMember& bad, std::ostream* out) {
    *out << bad.name << " = " << bad.value;
}

class SchemaRefuses : public testing::TestWithParam<BadMember> {};

TEST_P(SchemaRefuses, NamingTheMember) {
    const auto& bad = GetParam();
    json body = minimal();
    body[bad.name] = bad.value;
    for (const auto& result : {kMachine.accept(body), kMachine.accept_patch({{bad.name, bad.value}})}) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().status, Status::bad_request);
        ASSERT_EQ(result.error().errors.size(), 1U);
        EXPECT_EQ(result.error().errors[0].pointer, bad.pointer);
        EXPECT_THAT(result.error().errors[0].detail, HasSubstr(bad.says));
        EXPECT_THAT(result.error().detail, HasSubstr(std::string(bad.pointer).substr(1)));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Members, SchemaRefuses,
    testing::Values(
        BadMember{"hostnam", "x", "/hostnam", "is not a field of Machine, which has hostname, mac"},
        BadMember{"a/b~c", 1, "/a~1b~0c", "is not a field"},
        BadMember{"hostname", "", "/hostname", "must not be empty"},
        BadMember{"hostname", "12345678901", "/hostname", "1 to 10 characters, not 11"},
        BadMember{"hostname", "a.b", "/hostname", "must not hold a dot"},
        BadMember{"hostname", "a\nb", "/hostname", "control characters"},
        BadMember{"hostname", std::string("a\0b", 3), "/hostname", "control characters"},
        BadMember{"hostname", 7, "/hostname", "must be a string, not a number"},
        BadMember{"hostname", json::array(), "/hostname", "not an array"},
        BadMember{"mac", "52:54:00:12:34", "/mac", "must be a MAC address"},
        BadMember{"mac", "01:00:5e:00:00:01", "/mac", "not a group's"},
        BadMember{"mac", "00:00:00:00:00:00", "/mac", "not zero"}, BadMember{"mac", 5, "/mac", "MAC address"},
        BadMember{"ip", "10.0.0.256", "/ip", "must be an IPv4 address"},
        BadMember{"ip", "::1", "/ip", "must be an IPv4 address"},
        BadMember{"ip", json::object(), "/ip", "must be an IPv4 address"},
        BadMember{"network", "10.77.0.1/16", "/network", "must be an IPv4 network"},
        BadMember{"network", "10.77.0.0/33", "/network", "must be an IPv4 network"},
        BadMember{"network", "10.77.0.0", "/network", "must be an IPv4 network"},
        BadMember{"cluster", "0b9c2f4e-5d1a-4c3b-9e8f-7a6b5c4d3e2", "/cluster", "must be a UUID"},
        BadMember{"cluster", "0b9c2f4e_5d1a-4c3b-9e8f-7a6b5c4d3e2f", "/cluster", "must be a UUID"},
        BadMember{"cluster", "gb9c2f4e-5d1a-4c3b-9e8f-7a6b5c4d3e2f", "/cluster", "must be a UUID"},
        BadMember{"role", "worker", "/role", "must be one of MASTER, WORKER"},
        BadMember{"role", 1, "/role", "must be a string"}, BadMember{"cores", 0, "/cores", "from 1 to 4096"},
        BadMember{"cores", 4097, "/cores", "from 1 to 4096"},
        BadMember{"cores", -1, "/cores", "from 1 to 4096"}, BadMember{"cores", 1.5, "/cores", "whole number"},
        BadMember{"cores", "4", "/cores", "not a string"},
        BadMember{"cores", 18446744073709551615ULL, "/cores", "from 1 to 4096"},
        BadMember{"load", 1.01, "/load", "from 0 to 1"}, BadMember{"load", "1", "/load", "must be a number"},
        BadMember{"enabled", 1, "/enabled", "must be true or false"},
        BadMember{"enabled", "true", "/enabled", "must be true or false"},
        BadMember{"dns", "10.0.0.1", "/dns", "must be an array"},
        BadMember{"dns", {"1.1.1.1", "1.1.1.2", "1.1.1.3"}, "/dns", "0 to 2 elements, not 3"},
        BadMember{"dns", {"1.1.1.1", "one"}, "/dns/1", "must be an IPv4 address"},
        BadMember{"dns", {nullptr}, "/dns/0", "must be an IPv4 address"},
        BadMember{"loaders", {{"z80", "a"}}, "/loaders/z80", "which may hold bios, x64-uefi"},
        BadMember{"loaders", {{"bios", 1}}, "/loaders/bios", "must be a string"},
        BadMember{"labels", {{"a", "123456"}}, "/labels/a", "0 to 5 characters"},
        BadMember{"labels", {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}}, "/labels", "0 to 3 members"},
        BadMember{"disks", {{{"gib", 1}}}, "/disks/0/device", "is required"},
        BadMember{"disks", {{{"device", "sda"}, {"x", 1}}}, "/disks/0/x", "is not a field of Disk"},
        BadMember{"boot_disk", {{"device", ""}}, "/boot_disk/device", "must not be empty"},
        BadMember{"boot_disk", "sda", "/boot_disk", "must be an object, not a string"},
        BadMember{"note", "bell\x07", "/note", "control characters"}));

TEST(SchemaAccept, CollectsEveryError) {
    const auto result = kMachine.accept({{"mac", "x"}, {"cores", 0}, {"what", 1}});
    ASSERT_FALSE(result);
    std::vector<std::string> pointers;
    for (const auto& error : result.error().errors) pointers.push_back(error.pointer);
    EXPECT_THAT(pointers, ElementsAre("/cores", "/mac", "/what", "/hostname"));
    EXPECT_THAT(result.error().detail, HasSubstr("(and 3 more errors)"));
}

TEST(SchemaAccept, BoundsTheNumberOfErrors) {
    json body = minimal();
    for (int i = 0; i < 1000; ++i) body["unknown" + std::to_string(i)] = i;
    EXPECT_EQ(kMachine.accept(body).error().errors.size(), 100U);
}

TEST(SchemaAccept, TheBodyItselfMustBeAnObject) {
    for (const json& body : {json(nullptr), json::array(), json(1), json("text")}) {
        const auto result = kMachine.accept(body);
        ASSERT_FALSE(result) << body;
        EXPECT_EQ(result.error().errors[0].pointer, "");
        EXPECT_THAT(result.error().detail, HasSubstr("the body must be an object"));
    }
}

TEST(SchemaAccept, CountsCharactersAndNotBytes) {
    json body = minimal();
    body["hostname"] = "ääääääääää";
    EXPECT_TRUE(kMachine.accept(body));
}

TEST(SchemaAccept, AnArrayIsUsedAsItsElementSays) {
    const Schema schema("S", "", {array(ipv4("a", "").required()), array(ipv4("b", "").read_only())});
    EXPECT_EQ(schema.accept(json::object()).error().errors[0].pointer, "/a");
    EXPECT_EQ(schema.accept({{"a", {"10.0.0.1"}}, {"b", {"10.0.0.2"}}}).value(), json({{"a", {"10.0.0.1"}}}));
    EXPECT_EQ(schema.describe()["properties"]["b"]["readOnly"], true);
    EXPECT_FALSE(schema.describe()["properties"]["b"]["items"].contains("readOnly"));
}

TEST(SchemaPatch, NothingIsRequiredAndNullRemoves) {
    EXPECT_EQ(kMachine.accept_patch(json::object()).value(), json::object());
    const json patch = {{"ip", nullptr}, {"cores", 2}, {"loaders", {{"bios", nullptr}}}, {"id", "ignored"}};
    json expected = patch;
    expected.erase("id");
    EXPECT_EQ(kMachine.accept_patch(patch).value(), expected);
    const auto removed = kMachine.accept_patch({{"mac", nullptr}});
    ASSERT_FALSE(removed);
    EXPECT_THAT(removed.error().errors[0].detail, HasSubstr("cannot be removed"));
}

TEST(SchemaMerge, ChangesWhatThePatchNamesAndNothingElse) {
    json current = kMachine.accept(minimal()).value();
    current.update({{"id", "i"},
                    {"created_at", "t"},
                    {"ip", "10.0.0.1"},
                    {"cores", 8},
                    {"role", "MASTER"},
                    {"loaders", {{"bios", "a"}, {"x64-uefi", "b"}}}});
    const auto patch = kMachine.accept_patch(
        {{"ip", nullptr}, {"cores", 4}, {"role", nullptr}, {"loaders", {{"bios", nullptr}}}});
    json expected = current;
    expected.erase("ip");
    expected["cores"] = 4;
    expected["role"] = "WORKER";
    expected["loaders"].erase("bios");
    EXPECT_EQ(kMachine.merge(current, patch.value()).value(), expected);
}

TEST(SchemaMerge, ChecksTheWhole) {
    json current = kMachine.accept(minimal()).value();
    current["labels"] = {{"a", ""}, {"b", ""}, {"c", ""}};
    const auto patch = kMachine.accept_patch({{"labels", {{"d", ""}}}});
    ASSERT_TRUE(patch);
    EXPECT_EQ(kMachine.merge(current, *patch).error().errors[0].pointer, "/labels");
}

TEST(SchemaDescribe, SaysWhatIsChecked) {
    const json description = kMachine.describe();
    EXPECT_EQ(description["required"], json({"hostname", "mac"}));
    EXPECT_EQ(description["additionalProperties"], false);
    const auto& properties = description["properties"];
    EXPECT_EQ(properties.size(), kMachine.fields().size());
    EXPECT_EQ(
        properties["id"],
        json({{"type", "string"}, {"format", "uuid"}, {"readOnly", true}, {"description", "identifies it"}}));
    EXPECT_EQ(properties["role"]["enum"], json({"MASTER", "WORKER"}));
    EXPECT_EQ(properties["role"]["default"], "WORKER");
    EXPECT_EQ(properties["cores"]["minimum"], 1);
    EXPECT_EQ(properties["cores"]["maximum"], 4096);
    EXPECT_EQ(properties["hostname"]["maxLength"], 10);
    EXPECT_EQ(properties["dns"]["items"], json({{"type", "string"}, {"format", "ipv4"}}));
    EXPECT_EQ(properties["dns"]["maxItems"], 2);
    EXPECT_EQ(properties["loaders"]["propertyNames"]["enum"], json({"bios", "x64-uefi"}));
    EXPECT_EQ(properties["boot_disk"]["$ref"], "#/components/schemas/Disk");
    EXPECT_EQ(properties["disks"]["items"]["$ref"], "#/components/schemas/Disk");
    EXPECT_EQ(properties["password"]["writeOnly"], true);
}

}  // namespace
}  // namespace rouse::http
