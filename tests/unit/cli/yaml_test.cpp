// YAML as rousectl writes it, read again by itself and by python3-yaml.

#include "mgmt/cli/yaml.hpp"

#include "tests/unit/http/temporary_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

json hard_cases() {
    json strings = json::array();
    for (const char* text : {"",
                             " ",
                             "a",
                             "a b",
                             "a ",
                             "-",
                             "- a",
                             "a: b",
                             "a:",
                             "#",
                             "a #b",
                             "true",
                             "No",
                             "y",
                             "null",
                             "~",
                             "1",
                             "1.5",
                             "0x10",
                             "1e3",
                             "52:54:00:00:00:01",
                             "2026-01-01",
                             "10.77.0.1",
                             "10.77.0.0/16",
                             "/boot/x",
                             "a,b",
                             "[x]",
                             "{y}",
                             "!t",
                             "&a",
                             "*a",
                             "'q'",
                             "\"q\"",
                             "back\\slash",
                             "two\nlines\n",
                             "tab\there",
                             "<<",
                             "=",
                             "?",
                             "@x",
                             "%x",
                             "`",
                             "\x01\x1f",
                             "\x7f",
                             "\u0085\u009f",
                             "\u2028",
                             "\ufeff",
                             "grün",
                             "日本",
                             "😀",
                             "Yes please",
                             "on"})
        strings.push_back(text);
    return {{"strings", strings},
            {"numbers", {0, -7, 18'446'744'073'709'551'615U, 1.5, 1e30, -2.5e-9}},
            {"constants", {true, false, nullptr}},
            {"empty", {json::array(), json::object()}},
            {"nested",
             {{{"a", {1, {2, 3}, {{"b", "c"}}}}, {"z", json::object()}}, json::array({json::array({"x"})})}},
            {"52:54:00:00:00:01", "a key"},
            {"yes", {{"no", {{"deep", {1}}}}}}};
}

TEST(Yaml, LooksAsPeopleWriteIt) {
    EXPECT_EQ(to_yaml({{"hostname", "node1"},
                       {"mac", "52:54:00:00:00:01"},
                       {"quirks", {"a", "b"}},
                       {"none", json::array()},
                       {"loaders", {{"bios", "undionly.kpxe"}}},
                       {"templates", {{{"name", "x"}, {"content", "l\n"}}}}}),
              "hostname: node1\n"
              "loaders:\n"
              "  bios: undionly.kpxe\n"
              "mac: \"52:54:00:00:00:01\"\n"
              "none: []\n"
              "quirks:\n"
              "- a\n"
              "- b\n"
              "templates:\n"
              "- content: \"l\\n\"\n"
              "  name: x\n");
    EXPECT_EQ(to_yaml(json::array()), "[]\n");
}

TEST(Yaml, IsReadAgainAsItWas) {
    const json value = hard_cases();
    EXPECT_EQ(from_yaml(to_yaml(value)).value(), std::vector<json>{value}) << to_yaml(value);
}

// An independent reader, of YAML 1.1.
TEST(Yaml, IsReadByPythonAsItWas) {
    const http::TemporaryDirectory directory;
    const json value = hard_cases();
    std::ofstream(directory / "in.yaml") << to_yaml(value);
    const std::string command =
        "/usr/bin/python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1], "
        "encoding=\"utf-8\")), open(sys.argv[2], \"w\"))' " +
        (directory / "in.yaml") + " " + (directory / "out.json");
    ASSERT_EQ(std::system(command.c_str()), 0) << to_yaml(value);
    std::ifstream out(directory / "out.json");
    EXPECT_EQ(json::parse(out), value) << to_yaml(value);
}

TEST(Yaml, ReadsDocumentsAndJson) {
    EXPECT_EQ(from_yaml("a: 1\n---\n# nothing\n---\n[x, '1', 2.5, 0x, no, Null]\n").value(),
              (std::vector<json>{{{"a", 1}}, {"x", "1", 2.5, "0x", "no", nullptr}}));
    EXPECT_EQ(from_yaml(R"({"a": ["b", {"c": null}]})").value().front(),
              json({{"a", {"b", {{"c", nullptr}}}}}));
    EXPECT_TRUE(from_yaml("").value().empty());
}

TEST(Yaml, RefusesWhatItDoesNotUnderstand) {
    for (const char* text : {"a: [", "a: b: c", "a: 1\na: 2", "\t- x", "? [1]\n: x", "&a [*a]"}) {
        const auto read = from_yaml(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, ExitCode::usage);
        EXPECT_THAT(read.error().message, testing::StartsWith("line ")) << text;
    }
    EXPECT_FALSE(from_yaml(std::string(100'000, '['))) << "deep nesting ends no program";
}

}  // namespace
}  // namespace rouse::cli
