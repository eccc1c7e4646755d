#include "mgmt/boot/cmdline.hpp"

#include <gtest/gtest.h>

namespace rouse::boot {
namespace {

MachineValues node() {
    MachineValues values;
    values.hostname = "node1";
    values.mac = "02:00:00:00:00:0a";
    values.mac_dashes = "02-00-00-00-00-0a";
    values.url = "http://10.77.0.1";
    values.token = "t0ken";
    return values;
}

TEST(Cmdline, TheBootLineEndsWithWhatRamdisksNeed) {
    EXPECT_EQ(*render_boot_line("console=ttyS0 name={{hostname}}", node()),
              "console=ttyS0 name=node1 BOOTIF=01-02-00-00-00-00-0a rouse.mac=02:00:00:00:00:0a "
              "rouse.url=http://10.77.0.1 rouse.token=t0ken");
}

TEST(Cmdline, LeavesOutTheTokenWhileNobodyCanBeReached) {
    MachineValues early = node();
    early.url.clear();
    EXPECT_EQ(*render_boot_line("", early), "BOOTIF=01-02-00-00-00-00-0a rouse.mac=02:00:00:00:00:0a");
}

TEST(Cmdline, WhatLoadersWouldTakeForTheirOwnIsNamed) {
    struct Case {
        const char* text;
        const char* says;
    };
    for (const Case& wrong : {Case{"a={{hostnam}}", "{{hostnam}}"},
                              {"a\nboot", "one line"},
                              {"a\tb", "one line"},
                              {"a || shell", "\"||\""},
                              {"a && b", "\"&&\""},
                              {"a ; b", "\";\""},
                              {"a #b", "\"#b\""},
                              {"a='b c'", "single quotes"}}) {
        const auto checked = check_cmdline(wrong.text);
        ASSERT_FALSE(checked) << wrong.text;
        EXPECT_NE(checked.error().message.find(wrong.says), std::string::npos) << checked.error().message;
    }
    EXPECT_TRUE(check_cmdline("foo=a;b bar=x#y a|b {{{ip}}}"));
}

TEST(Cmdline, AValueMayNotBreakTheLineEither) {
    MachineValues tricky = node();
    for (const char* value : {"o'hara", "a\nb", "x || y"}) {
        tricky.cluster = value;
        EXPECT_FALSE(render_boot_line("c={{cluster}}", tricky)) << value;
    }
}

}  // namespace
}  // namespace rouse::boot
