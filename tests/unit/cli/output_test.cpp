#include "mgmt/cli/progress.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/cli/table.hpp"

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

TEST(HumanSize, ChoosesTheUnit) {
    EXPECT_EQ(human_size(0), "0 B");
    EXPECT_EQ(human_size(999), "999 B");
    EXPECT_EQ(human_size(1000), "1.0 kB");
    EXPECT_EQ(human_size(54'123'456), "54.1 MB");
    EXPECT_EQ(human_size(999'950'000), "1.0 GB");
    EXPECT_EQ(human_size(123'400'000'000'000.0), "123 TB");
    EXPECT_EQ(human_size(5e18), "5000000 TB");
}

TEST(Table, AlignsByCharactersAndEndsLinesClean) {
    std::ostringstream out;
    const json objects = {{{"name", "bär"}, {"n", 7}, {"note", nullptr}},
                          {{"name", "longer"}, {"n", 1234}},
                          {{"name", "x\ny\x1b"}, {"n", 1}}};
    print_table(out,
                {column("NAME", "name"),
                 {"N", [](const json& o) { return plain_text(o, "n"); }, true},
                 column("NOTE", "note")},
                objects);
    EXPECT_EQ(out.str(),
              "NAME       N  NOTE\n"
              "bär        7  -\n"
              "longer  1234  -\n"
              "x y        1  -\n");
    std::ostringstream narrow;
    print_table(narrow, {column("NAME", "name"), column("LIST", "list"), column("DEEP", "a.b")},
                json::array({{{"name", "a name that is long"},
                              {"list", {"x", "y"}},
                              {"a", {{"b", {{"k", "v"}, {"l", 2}}}}}}}),
                {.width = 28, .colours = true});
    EXPECT_EQ(narrow.str(),
              "\x1b[1mNAME\x1b[0m           \x1b[1mLIST\x1b[0m  \x1b[1mDEEP\x1b[0m\n"
              "a name that …  x,y   k=v,l=2\n");
    std::ostringstream nothing;
    print_table(nothing, {column("NAME", "name")}, json::array());
    EXPECT_EQ(nothing.str(), "none\n");
}

TEST(Progress, DrawsABarOnATerminal) {
    std::ostringstream out;
    const Progress::Clock::time_point start{};
    Progress progress(out, true, "file", 10'000'000, start);
    progress.update(1, start + 10ms);
    EXPECT_EQ(out.str(), "") << "not more often than the eye can follow";
    progress.update(5'000'000, start + 1s);
    EXPECT_EQ(out.str(),
              "\rfile  [###############...............]  50%  5.0 MB of 10.0 MB  5.0 MB/s  ETA 0:01\x1b[K");
    progress.finish(10'000'000, start + 2s);
    EXPECT_THAT(
        out.str(),
        testing::EndsWith("[##############################]  100%  10.0 MB of 10.0 MB  5.0 MB/s\x1b[K\n"));
}

TEST(Progress, WritesALinePerTenthElsewhere) {
    std::ostringstream out;
    const Progress::Clock::time_point start{};
    Progress progress(out, false, "file", 1000, start);
    for (std::uint64_t done = 0; done <= 1000; ++done) progress.update(done, start + 1s);
    progress.finish(1000, start + 1s);
    const std::string text = out.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
    EXPECT_THAT(text, testing::StartsWith("file: 10%  100 B of 1.0 kB  100 B/s  ETA 0:09\n"));
    EXPECT_THAT(text, testing::EndsWith("file: 100%  1.0 kB of 1.0 kB  1.0 kB/s\n"));
}

TEST(Progress, AnEmptyFileIsDoneAtOnce) {
    std::ostringstream out;
    Progress progress(out, false, "file", 0, {});
    progress.finish(0, {});
    EXPECT_EQ(out.str(), "file: 100%  0 B of 0 B  0 B/s\n");
}

TEST(Describe, NamesTheFields) {
    const json problem = {{"status", 400},
                          {"title", "Bad Request"},
                          {"detail", "two are wrong"},
                          {"errors",
                           {{{"pointer", "/mac"}, {"detail", "must be a MAC address"}},
                            {{"pointer", "/dns_servers/2"}, {"detail", "must be an IPv4 address"}},
                            {{"pointer", ""}, {"detail", "is odd"}}}}};
    EXPECT_EQ(failure_of({400, problem.dump()}).message,
              "the appliance refused it:\n  mac must be a MAC address\n  dns_servers.2 must be an IPv4 "
              "address\n  the body is odd");
    const Failure missing = failure_of({404, R"({"detail":"there is no machine x"})"});
    EXPECT_EQ(missing.message, "there is no machine x");
    EXPECT_EQ(missing.code, ExitCode::not_found);
    for (const auto& [status, code] : std::map<long, ExitCode>{{401, ExitCode::not_allowed},
                                                               {403, ExitCode::not_allowed},
                                                               {409, ExitCode::conflict},
                                                               {412, ExitCode::conflict},
                                                               {429, ExitCode::failed},
                                                               {500, ExitCode::failed}})
        EXPECT_EQ(failure_of({status, ""}).code, code) << status;
    for (const char* body : {"", "<html>", "[]", "{}", R"({"detail":3})", R"({"detail":null,"errors":7})"})
        EXPECT_EQ(failure_of({502, body}).message, "the appliance answered with status 502") << body;
    EXPECT_EQ(failure_of({400, R"({"detail":"d","errors":[7,{}]})"}).message,
              "the appliance refused it:\n  the body \n  the body ");
}

}  // namespace
}  // namespace rouse::cli
