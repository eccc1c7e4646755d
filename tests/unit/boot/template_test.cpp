#include "mgmt/boot/template.hpp"

#include <gtest/gtest.h>

namespace rouse::boot {
namespace {

const MachineValues kNode{.hostname = "node1",
                          .mac = "02:00:00:00:00:01",
                          .mac_dashes = "02-00-00-00-00-01",
                          .ip = "10.77.0.9",
                          .netmask = "255.255.0.0",
                          .gateway = "10.77.0.1",
                          .cluster = {},
                          .profile = "live",
                          .server = "10.77.0.1",
                          .url = "http://10.77.0.1",
                          .token = "secret"};

TEST(Template, FillsInAMachinesOwnData) {
    EXPECT_EQ(*render_template("ip={{ip}}::{{gateway}}:{{netmask}}:{{hostname}}", kNode),
              "ip=10.77.0.9::10.77.0.1:255.255.0.0:node1");
    EXPECT_EQ(
        *render_template("{{url}}/x?t={{token}}&m={{mac}} {{mac-dashes}} {{profile}} {{server}}", kNode),
        "http://10.77.0.1/x?t=secret&m=02:00:00:00:00:01 02-00-00-00-00-01 live 10.77.0.1");
    EXPECT_EQ(*render_template("", kNode), "");
}

TEST(Template, EscapesNothingAndKeepsItsLines) {
    MachineValues tricky = kNode;
    tricky.cluster = "<a&b>\"'";
    EXPECT_EQ(*render_template("one\n  {{cluster}}\n\ttwo\n", tricky), "one\n  <a&b>\"'\n\ttwo\n");
}

TEST(Template, SectionsVanishWithTheirValue) {
    constexpr const char* kText = "a{{#cluster}} c={{cluster}}{{/cluster}}{{^cluster}} alone{{/cluster}}";
    EXPECT_EQ(*render_template(kText, kNode), "a alone");
    MachineValues clustered = kNode;
    clustered.cluster = "edge";
    EXPECT_EQ(*render_template(kText, clustered), "a c=edge");
}

TEST(Template, MistakesAreNamed) {
    struct Case {
        const char* text;
        const char* says;
    };
    for (const Case& wrong : {Case{"a={{hostnam}}", "{{hostnam}}"},
                              {"a={{hostname", "mustache"},
                              {"{{#ip}}x", "mustache"},
                              {"{{>file}}", "> file"}}) {
        const auto checked = check_template(wrong.text);
        ASSERT_FALSE(checked) << wrong.text;
        EXPECT_NE(checked.error().message.find(wrong.says), std::string::npos) << checked.error().message;
    }
}

TEST(Template, KnowsWhetherItIsTheSameForAll) {
    EXPECT_TRUE(is_same_for_all("d-i debian-installer/locale string en_GB\n"));
    EXPECT_FALSE(is_same_for_all("{{hostname}}"));
    EXPECT_FALSE(is_same_for_all("{{#cluster}}in one{{/cluster}}"));
    EXPECT_FALSE(is_same_for_all("{{^gateway}}none{{/gateway}}"));
}

}  // namespace
}  // namespace rouse::boot
