#include "mgmt/boot/cmdline.hpp"

#include <gtest/gtest.h>

namespace rouse::boot {
namespace {

const CmdlineValues kNode{.hostname = "node1",
                          .mac = "02:00:00:00:00:01",
                          .ip = "10.77.0.9",
                          .netmask = "255.255.0.0",
                          .gateway = "10.77.0.1",
                          .cluster = {},
                          .url = "http://10.77.0.1",
                          .token = "secret"};

TEST(Cmdline, FillsInAMachinesOwnData) {
    EXPECT_EQ(
        *render_cmdline("console=ttyS0 ip={{ip}}::{{gateway}}:{{netmask}}:{{hostname}}:eth0:off", kNode),
        "console=ttyS0 ip=10.77.0.9::10.77.0.1:255.255.0.0:node1:eth0:off");
    EXPECT_EQ(*render_cmdline("u={{url}}/x?t={{token}}&m={{mac}}", kNode),
              "u=http://10.77.0.1/x?t=secret&m=02:00:00:00:00:01");
    EXPECT_EQ(*render_cmdline("", kNode), "");
}

TEST(Cmdline, SectionsVanishWithTheirValue) {
    EXPECT_EQ(*render_cmdline("a{{#cluster}} c={{cluster}}{{/cluster}}{{^cluster}} alone{{/cluster}}", kNode),
              "a alone");
    CmdlineValues clustered = kNode;
    clustered.cluster = "edge";
    EXPECT_EQ(*render_cmdline("a{{#cluster}} c={{cluster}}{{/cluster}}", clustered), "a c=edge");
}

TEST(Cmdline, MistakesAreNamed) {
    struct Case {
        const char* text;
        const char* says;
    };
    for (const Case& wrong : {Case{"a={{hostnam}}", "{{hostnam}}"},
                              {"a={{hostname", "mustache"},
                              {"{{#ip}}x", "mustache"},
                              {"{{>file}}", "> file"},
                              {"a\nboot", "one line"},
                              {"a\tb", "one line"},
                              {"a || shell", "\"||\""},
                              {"a && b", "\"&&\""},
                              {"a ; b", "\";\""},
                              {"a #b", "\"#b\""}}) {
        const auto checked = check_cmdline(wrong.text);
        ASSERT_FALSE(checked) << wrong.text;
        EXPECT_NE(checked.error().message.find(wrong.says), std::string::npos) << checked.error().message;
    }
    EXPECT_TRUE(check_cmdline("foo=a;b bar=x#y a|b {{{ip}}}"));
}

}  // namespace
}  // namespace rouse::boot
