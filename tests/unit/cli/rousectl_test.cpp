// rousectl as a whole, against an appliance on a real socket.

#include "mgmt/cli/command.hpp"
#include "tests/unit/cli/fake_appliance.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace rouse::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kId = "0b9c2f4e-5d1a-4c3b-9e8f-7a6b5c4d3e2f";
constexpr const char* kOtherId = "1b9c2f4e-5d1a-4c3b-9e8f-7a6b5c4d3e2f";

struct Ended {
    int code;
    std::string out;
    std::string err;
};

class RousectlTest : public testing::Test {
  protected:
    Ended rousectl(const std::vector<std::string>& arguments, const std::string& input = "",
                   std::optional<std::string> terminal = std::nullopt) {
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        Console console{in, out, err, false, [&](const std::string& prompt) {
                            err << prompt;
                            return terminal;
                        }};
        const int code = run(arguments, console, environment_);
        return {code, out.str(), err.str()};
    }
    void log_in() {
        ASSERT_EQ(rousectl({"login", appliance_.url(), "--password-stdin"}, "secret\n").code, 0);
    }
    std::string file(const std::string& name, const std::string& content) {
        std::ofstream(directory_ / name) << content;
        return directory_ / name;
    }
    SavedContext saved() { return load_config(directory_ / "config/rouse").value().contexts.at("127.0.0.1"); }

    http::TemporaryDirectory directory_;
    FakeAppliance appliance_;
    Environment environment_{"", "", directory_ / "config/rouse"};
};

TEST_F(RousectlTest, LoginSavesAPrivateContext) {
    const auto ended = rousectl({"login", appliance_.url() + "/", "-u", "eve"}, "", "secret");
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, "logged in to " + appliance_.url() + " as eve\n");
    EXPECT_EQ(ended.err, "Password of eve: ");
    EXPECT_EQ(saved().access, "access-1");
    EXPECT_EQ(saved().url, appliance_.url());
    struct stat status {};
    ASSERT_EQ(stat((directory_ / "config/rouse/config").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    ASSERT_EQ(stat((directory_ / "config/rouse").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
    EXPECT_EQ(rousectl({"machine", "list"}).code, 0);
    EXPECT_EQ(rousectl({"login", "--password-stdin"}, "secret\r\n").code, 0) << "the URL is remembered";
}

// "manifest.json" and one file of 1000 bytes, as the appliance sends them.
std::string backup_of_one_file() {
    const auto entry = [](const std::string& name, const std::string& content) {
        std::string header(512, '\0');
        header.replace(0, name.size(), name);
        char size[16];
        std::snprintf(size, sizeof size, "%011zo", content.size());
        header.replace(124, 11, size);
        return header + content + std::string((512 - content.size() % 512) % 512, '\0');
    };
    return entry("manifest.json", R"({"files":[{"name":"store/data.mdb","size":1000}]})") +
           entry("store/data.mdb", std::string(1000, 'x')) + std::string(1024, '\0');
}

TEST_F(RousectlTest, ABackupThatIsNotWholeReplacesNothing) {
    log_in();
    const auto path = file("rouse.tar", "the one before");
    const auto content = [&path] {
        std::ifstream in(path);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    const std::string whole = backup_of_one_file();
    for (const std::size_t kept : {0, 100, 520, 1100, 2000}) {
        appliance_.backup = whole.substr(0, kept);
        const auto ended = rousectl({"backup", path});
        EXPECT_EQ(ended.code, 1) << kept;
        EXPECT_THAT(ended.err, HasSubstr("cut short")) << kept;
    }
    appliance_.backup = whole + "x";
    EXPECT_EQ(rousectl({"backup", path}).code, 1);
    appliance_.backup = std::string(5000, 'z');
    EXPECT_THAT(rousectl({"backup", path}).err, HasSubstr("what came is not a backup"));
    EXPECT_EQ(content(), "the one before");
    EXPECT_EQ(rousectl({"backup", "/proc/rouse.tar"}).code, 1) << "nothing can be written there";
    appliance_.backup = whole;
    EXPECT_EQ(rousectl({"backup", path}).code, 0);
    EXPECT_TRUE(content() == whole);
}

TEST_F(RousectlTest, LoginFailsWithTheRightCode) {
    const auto wrong = rousectl({"login", appliance_.url(), "--password-stdin"}, "guess");
    EXPECT_EQ(wrong.code, 4);
    EXPECT_EQ(wrong.err, "rousectl: the user name or the password is wrong\n");
    EXPECT_EQ(rousectl({"login", appliance_.url(), "--password-stdin"}, "").code, 2);
    EXPECT_EQ(rousectl({"login", appliance_.url()}).code, 2);
    EXPECT_EQ(rousectl({"login", "--password-stdin"}, "secret").code, 2);
    EXPECT_EQ(rousectl({"login", "ftp://127.0.0.1", "--password-stdin"}, "secret").code, 2);
    EXPECT_FALSE(std::filesystem::exists(directory_ / "config/rouse/config"));
}

TEST_F(RousectlTest, WithoutALoginItSaysHow) {
    const auto ended = rousectl({"machine", "list"});
    EXPECT_EQ(ended.code, 4);
    EXPECT_EQ(ended.err, "rousectl: you are not logged in; log in with: rousectl login URL --user NAME\n");
    environment_.url = appliance_.url();
    EXPECT_EQ(rousectl({"machine", "list"}).code, 4);
}

TEST_F(RousectlTest, TheEnvironmentWins) {
    log_in();
    FakeAppliance other;
    other.good_token = "from-environment";
    other.clusters = {{{"id", kId}, {"name", "there"}}};
    environment_.url = other.url();
    EXPECT_EQ(rousectl({"cluster", "list"}).code, 4) << "one appliance's token is not shown to another";
    environment_.token = "from-environment";
    EXPECT_THAT(rousectl({"cluster", "list"}).out, HasSubstr("there"));
    environment_.token = "stale";
    EXPECT_EQ(rousectl({"cluster", "list"}).code, 4);
    EXPECT_EQ(other.refreshes, 0);
}

TEST_F(RousectlTest, AnExpiredTokenIsRefreshedOnce) {
    log_in();
    appliance_.good_token = "access-2";
    EXPECT_EQ(rousectl({"machine", "list"}).code, 0);
    EXPECT_EQ(saved().access, "access-2");
    EXPECT_EQ(rousectl({"machine", "list"}).code, 0);
    EXPECT_EQ(appliance_.refreshes, 1);
    appliance_.good_token = "access-3";
    appliance_.refresh_works = false;
    const auto ended = rousectl({"machine", "list"});
    EXPECT_EQ(ended.code, 4);
    EXPECT_THAT(ended.err, HasSubstr("has ended; log in with: rousectl login"));
}

TEST_F(RousectlTest, AnApplianceThatDoesNotAnswerIs6) {
    log_in();
    appliance_.vanish();
    const auto ended = rousectl({"machine", "list"});
    EXPECT_EQ(ended.code, 6);
    EXPECT_THAT(ended.err, HasSubstr("no answer from " + appliance_.url()));
}

TEST_F(RousectlTest, WrongUsageIs2) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{},
          {"machine"},
          {"machine", "frobnicate"},
          {"machine", "add", "only-a-name"},
          {"machine", "list", "--what"},
          {"-o", "xml", "machine", "list"},
          {"machine", "list", "--filter", "status"},
          {"machine", "list", "--limit", "0"},
          {"machine", "set", "node-1", "--unset", "wings"},
          {"completion", "fish"},
          {"timeline"},
          {"timeline", "x", "--until", "y"},
          {"pool", "add", "10.0.0.0/8", "--lease-seconds", "long"},
          {"profile", "add", "x", "--loader", "bios"}}) {
        const auto ended = rousectl(arguments);
        EXPECT_EQ(ended.code, 2) << testing::PrintToString(arguments);
        EXPECT_NE(ended.err, "");
    }
    EXPECT_EQ(rousectl({"--help"}).code, 0);
    EXPECT_THAT(rousectl({"machine", "add", "--help"}).out, HasSubstr("HOSTNAME"));
    EXPECT_EQ(rousectl({"--version"}).code, 0);
}

TEST_F(RousectlTest, MachinesAreAddedAndProblemsExplained) {
    log_in();
    appliance_.clusters = {{{"id", kId}, {"name", "edge"}}};
    auto ended = rousectl({"machine", "add", "node-1", "52:54:00:00:00:01", "--ip", "10.77.0.9", "--cluster",
                           "edge", "--profile", "debian", "--role", "MASTER"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, "registered node-1 (52:54:00:00:00:01) with the address 10.77.0.9\n");
    const json expected = {{"hostname", "node-1"}, {"mac", "52:54:00:00:00:01"}, {"ip", "10.77.0.9"},
                           {"cluster", kId},       {"boot_profile", "debian"},   {"role", "MASTER"}};
    EXPECT_EQ(appliance_.last_body, expected);

    ended = rousectl({"machine", "add", "node-2", "52:54:00:00:00:0g", "--ip", "10.77.0"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("\n  --ip must be an IPv4 address"));
    EXPECT_THAT(ended.err, HasSubstr("\n  MAC must be a MAC address"));

    ended = rousectl({"machine", "add", "node-2", "52:54:00:00:00:02", "--cluster", "nowhere"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_EQ(ended.err, "rousectl: there is no cluster nowhere; see rousectl cluster list\n");

    ended = rousectl({"machine", "add", "node-2", "52:54:00:00:00:02", "-o", "json"});
    EXPECT_EQ(json::parse(ended.out)["id"], "new-id");
}

TEST_F(RousectlTest, MachinesAreListedShownAndDeleted) {
    log_in();
    appliance_.clusters = {{{"id", kOtherId}, {"name", "edge"}}};
    appliance_.machines = {{{"id", kId},
                            {"hostname", "node-1"},
                            {"mac", "52:54:00:00:00:01"},
                            {"ip", "10.77.0.9"},
                            {"status", "ACTIVE"},
                            {"cluster", kOtherId}},
                           {{"id", kOtherId}, {"hostname", "node-2"}, {"mac", "52:54:00:00:00:02"}}};
    EXPECT_EQ(rousectl({"machine", "list"}).out,
              "HOSTNAME  MAC                IP         STATUS  HEALTH  ROLE  CLUSTER  PROFILE\n"
              "node-1    52:54:00:00:00:01  10.77.0.9  ACTIVE  -       -     edge     -\n"
              "node-2    52:54:00:00:00:02  -          -       -       -     -        -\n");
    EXPECT_THAT(rousectl({"machine", "list", "-o", "wide"}).out, HasSubstr(kOtherId));
    EXPECT_EQ(rousectl({"machine", "list", "-o", "name"}).out, "node-1\nnode-2\n");
    EXPECT_EQ(rousectl({"machine", "list", "--columns", "mac,ip"}).out,
              "MAC                IP\n52:54:00:00:00:01  10.77.0.9\n52:54:00:00:00:02  -\n");
    EXPECT_EQ(json::parse(rousectl({"machine", "list", "-o", "json", "--cluster", "edge"}).out),
              json::array({appliance_.machines[0]}));
    for (const char* name : {"node-1", "52-54-00-00-00-01", "10.77.0.9", kId})
        EXPECT_THAT(rousectl({"machine", "show", name}).out, HasSubstr("hostname  node-1\n")) << name;
    EXPECT_EQ(json::parse(rousectl({"-o", "json", "machine", "show", "node-1"}).out), appliance_.machines[0]);
    EXPECT_EQ(rousectl({"machine", "show", "node-3"}).code, 3);
    EXPECT_EQ(rousectl({"machine", "delete", "node-1", "52:54:00:00:00:02"}).out,
              "deleted node-1\ndeleted 52:54:00:00:00:02\n");
    EXPECT_THAT(appliance_.deleted, testing::ElementsAre(std::string("/api/machines/") + kId + "/",
                                                         std::string("/api/machines/") + kOtherId + "/"));
    appliance_.machines[1]["hostname"] = "node-1";
    const auto ambiguous = rousectl({"machine", "show", "node-1"});
    EXPECT_EQ(ambiguous.code, 2);
    EXPECT_EQ(ambiguous.err, std::string("rousectl: there are 2 of machine node-1; name one by its id:\n  ") +
                                 kId + "  node-1  52:54:00:00:00:01  10.77.0.9\n  " + kOtherId +
                                 "  node-1  52:54:00:00:00:02  -\n");
    EXPECT_EQ(rousectl({"machine", "list", "-o", "name"}).out, std::string(kId) + "\n" + kOtherId + "\n")
        << "what has no name of its own is called by its id";
}

TEST_F(RousectlTest, ListsAreReadPageByPageUpToALimit) {
    log_in();
    for (int i = 0; i < 7; ++i)
        appliance_.machines.push_back(
            {{"id", "id-" + std::to_string(i)}, {"hostname", "n" + std::to_string(i)}});
    appliance_.page_size = 3;
    EXPECT_EQ(rousectl({"machine", "list", "-o", "name"}).out, "n0\nn1\nn2\nn3\nn4\nn5\nn6\n");
    EXPECT_EQ(appliance_.asked.size(), 3U);
    EXPECT_EQ(rousectl({"machine", "list", "-o", "name", "--limit", "4"}).out, "n0\nn1\nn2\nn3\n");
    appliance_.asked.clear();
    rousectl({"machine", "list", "--filter", "status=a b", "--filter", "role=X", "--sort", "-ip,hostname"});
    EXPECT_EQ(appliance_.asked.back(), "status=a%20b&role=X&sort=-ip,hostname&limit=10000");
}

TEST_F(RousectlTest, AChangeIsAMergePatch) {
    log_in();
    const auto ended =
        rousectl({"machine", "set", kId, "--role", "WORKER", "--unset", "profile", "--unset", "ip"});
    EXPECT_EQ(ended.out, "changed the machine node-1\n") << ended.err;
    EXPECT_EQ(appliance_.last_body, json({{"role", "WORKER"}, {"boot_profile", nullptr}, {"ip", nullptr}}));
    EXPECT_EQ(rousectl({"machine", "set", kId}).code, 2);
    EXPECT_EQ(
        rousectl({"machine", "set", kId, "--mac", "x"}).err,
        "rousectl: the appliance refused it:\n  --mac must be a MAC address such as 52:54:00:12:34:56\n");
}

TEST_F(RousectlTest, AListIsWatched) {
    log_in();
    appliance_.machines = {{{"id", kId}, {"hostname", "node-1"}, {"status", "INACTIVE"}}};
    std::thread happening([this] {
        std::this_thread::sleep_for(500ms);
        appliance_.change([this] { appliance_.machines[0]["status"] = "ACTIVE"; });
        std::this_thread::sleep_for(1500ms);
        appliance_.change([this] { appliance_.machines = json::array(); });
    });
    const auto ended = rousectl({"machine", "list", "-w", "--timeout", "4", "-o", "json"});
    happening.join();
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::vector<std::string> told;
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) {
        const auto one = json::parse(line);
        told.push_back(one["event"].get<std::string>() + " " + one["object"]["status"].get<std::string>());
    }
    EXPECT_THAT(told, testing::ElementsAre("added INACTIVE", "changed ACTIVE", "deleted ACTIVE"));
}

TEST_F(RousectlTest, WatchingWaitsForAnApplianceThatIsAway) {
    log_in();
    std::thread outage([this] {
        std::this_thread::sleep_for(300ms);
        appliance_.vanish();
    });
    const auto ended = rousectl({"machine", "list", "-w", "--timeout", "3"});
    outage.join();
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, HasSubstr("trying on"));
}

TEST_F(RousectlTest, ContextsNameAppliances) {
    FakeAppliance other;
    other.good_token = "access-other";
    other.clusters = {{{"id", kId}, {"name", "there"}}};
    log_in();
    ASSERT_EQ(rousectl({"--context", "other", "login", other.url(), "--password-stdin"}, "secret").code, 0);
    EXPECT_THAT(rousectl({"cluster", "list"}).out, HasSubstr("there")) << "the last login is the current one";
    EXPECT_EQ(rousectl({"context", "use", "127.0.0.1"}).code, 0);
    EXPECT_EQ(rousectl({"cluster", "list"}).out, "none\n");
    EXPECT_THAT(rousectl({"cluster", "list", "--context", "other"}).out, HasSubstr("there"));
    environment_.context = "other";
    EXPECT_THAT(rousectl({"cluster", "list"}).out, HasSubstr("there"));
    environment_.context.clear();
    environment_.url = "http://127.0.0.1:1";
    EXPECT_THAT(rousectl({"cluster", "list", "--context", "other"}).out, HasSubstr("there"))
        << "the command line wins over the environment";
    environment_.url.clear();
    const auto listed = rousectl({"context", "list"});
    EXPECT_EQ(listed.out, "NAME       CURRENT  URL" + std::string(appliance_.url().size() - 1, ' ') +
                              "USER   LOGGED IN\n127.0.0.1  *        " + appliance_.url() +
                              "  admin  true\nother               " + other.url() + "  admin  true\n");
    const auto unknown = rousectl({"--context", "elsewhere", "cluster", "list"});
    EXPECT_EQ(unknown.code, 3);
    EXPECT_THAT(unknown.err, HasSubstr("there are 127.0.0.1, other"));
}

TEST_F(RousectlTest, ContextsAreAddedAndRemoved) {
    const auto ca = file("ca.pem", "");
    EXPECT_EQ(rousectl({"context", "add", "lab", "https://lab.example/", "--ca", ca, "-u", "eve"}).code, 0);
    EXPECT_EQ(rousectl({"context", "add", "lab", "https://lab.example"}).code, 5);
    EXPECT_EQ(rousectl({"context", "add", "x", "https://x", "--ca", ca + "-missing"}).code, 2);
    const auto config = load_config(environment_.config_dir).value();
    EXPECT_EQ(config.current, "lab");
    EXPECT_EQ(config.contexts.at("lab").url, "https://lab.example");
    EXPECT_EQ(config.contexts.at("lab").tls.ca, ca);
    EXPECT_EQ(config.contexts.at("lab").user, "eve");
    const auto ended = rousectl({"cluster", "list"});
    EXPECT_EQ(ended.code, 4) << "added, not logged in";
    EXPECT_EQ(rousectl({"context", "use", "none"}).code, 3);
    EXPECT_EQ(rousectl({"context", "remove", "lab"}).code, 0);
    EXPECT_EQ(rousectl({"context", "remove", "lab"}).code, 3);
    EXPECT_EQ(rousectl({"context", "list"}).out, "none\n");
    std::ofstream(directory_ / "config/rouse/config") << "contexts: [";
    EXPECT_THAT(rousectl({"context", "list"}).err, HasSubstr("cannot understand"));
}

TEST_F(RousectlTest, PlansAreAdded) {
    log_in();
    appliance_.clusters = {{{"id", kId}, {"name", "edge"}}};
    EXPECT_EQ(rousectl({"cluster", "add", "edge", "--description", "a site"}).out,
              "added the cluster edge\n");
    EXPECT_EQ(appliance_.last_body, json({{"name", "edge"}, {"description", "a site"}}));

    EXPECT_EQ(rousectl({"pool", "add", "10.77.0.0/16", "--gateway", "10.77.0.1", "--from", "10.77.1.0",
                        "--to", "10.77.1.9", "--dns", "10.77.0.2", "10.77.0.3", "--unknown", "serve",
                        "--lease-seconds", "600", "--cluster", "edge"})
                  .out,
              "added the pool 10.77.0.0/16\n");
    EXPECT_EQ(appliance_.last_body, json({{"cidr", "10.77.0.0/16"},
                                          {"gateway", "10.77.0.1"},
                                          {"range_start", "10.77.1.0"},
                                          {"range_end", "10.77.1.9"},
                                          {"dns_servers", {"10.77.0.2", "10.77.0.3"}},
                                          {"unknown_machines", "serve"},
                                          {"lease_seconds", 600},
                                          {"cluster", kId}}));

    EXPECT_EQ(rousectl({"profile", "add", "debian", "--kernel", "linux", "--initrd", "a.gz", "--initrd",
                        "b.gz", "--cmdline", "quiet console=ttyS0", "--loader", "bios=undionly.kpxe",
                        "--loader", "x64-uefi=ipxe=a.efi"})
                  .code,
              0);
    EXPECT_EQ(appliance_.last_body,
              json({{"name", "debian"},
                    {"kernel", "linux"},
                    {"initrds", {"a.gz", "b.gz"}},
                    {"cmdline", "quiet console=ttyS0"},
                    {"loaders", {{"bios", "undionly.kpxe"}, {"x64-uefi", "ipxe=a.efi"}}}}));
    EXPECT_EQ(rousectl({"pool", "list"}).out, "none\n");
    EXPECT_THAT(rousectl({"cluster", "list"}).out, HasSubstr("edge"));
    EXPECT_EQ(rousectl({"profile", "list"}).code, 1) << "this appliance has no such route";
}

TEST_F(RousectlTest, ImagesAreStreamedAndVerified) {
    log_in();
    std::string content(5'000'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 >> 3);
    const auto path = file("linux image.gz", content);
    auto ended = rousectl({"image", "put", path});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(appliance_.last_image, "linux image.gz");
    EXPECT_TRUE(appliance_.last_content == content);
    EXPECT_THAT(ended.out, HasSubstr("stored linux image.gz, 5.0 MB, SHA-256 "));
    EXPECT_THAT(ended.err, HasSubstr("linux image.gz: 100%  5.0 MB of 5.0 MB"));

    EXPECT_EQ(rousectl({"image", "put", path, "debian/12/linux"}).code, 0);
    EXPECT_EQ(appliance_.last_image, "debian/12/linux");
    EXPECT_THAT(rousectl({"image", "list"}).out, HasSubstr("debian/12/linux  5.0 MB"));

    EXPECT_EQ(rousectl({"image", "put", file("empty", "")}).code, 0);
    EXPECT_EQ(appliance_.last_content, "");
    EXPECT_EQ(rousectl({"image", "delete", "debian/12/linux", "a b"}).code, 0);
    EXPECT_THAT(appliance_.deleted, testing::ElementsAre("/api/images/debian/12/linux", "/api/images/a%20b"));
}

TEST_F(RousectlTest, ADamagedImageIsNoticed) {
    log_in();
    appliance_.damages_uploads = true;
    const auto ended = rousectl({"image", "put", file("x", "abc")});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("x was damaged on its way"));
}

TEST_F(RousectlTest, AFileThatCannotBeReadIsNamed) {
    log_in();
    const auto ended = rousectl({"image", "put", directory_ / "missing"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("cannot read " + (directory_ / "missing")));
    EXPECT_EQ(rousectl({"image", "put", directory_.path()}).code, 1);
}

TEST_F(RousectlTest, AnUploadSurvivesAnExpiredToken) {
    log_in();
    appliance_.good_token = "access-2";
    const std::string content(3'000'000, 'z');
    const auto ended = rousectl({"image", "put", file("z", content)});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(appliance_.last_content == content);
}

TEST_F(RousectlTest, TimelinesArePaged) {
    log_in();
    for (int i = 0; i < 8; ++i) appliance_.happen("step_" + std::to_string(i));
    const auto ended = rousectl({"timeline", kId});
    EXPECT_EQ(ended.code, 0);
    std::string expected;
    for (int i = 0; i < 8; ++i) expected += "2026-01-01T00:00:00Z  it was step_" + std::to_string(i) + "\n";
    EXPECT_EQ(ended.out, expected);
    EXPECT_EQ(json::parse(rousectl({"timeline", kId, "-o", "json"}).out).size(), 8U);
}

TEST_F(RousectlTest, TimelinesAreFollowedUntilAnEvent) {
    log_in();
    appliance_.happen("dhcp_discover");
    std::thread machine([this] {
        for (const char* event : {"dhcp_offer", "tftp_request", "agent_home", "later"}) {
            std::this_thread::sleep_for(100ms);
            appliance_.happen(event);
        }
    });
    const auto ended = rousectl({"timeline", kId, "--follow", "--until", "agent_home", "-o", "json"});
    machine.join();
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::vector<std::string> events;
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line)["event"]);
    EXPECT_THAT(events, testing::ElementsAre("dhcp_discover", "dhcp_offer", "tftp_request", "agent_home"));
    EXPECT_LE(appliance_.queries.size(), 200U);
}

TEST_F(RousectlTest, FollowingEndsInTime) {
    log_in();
    const auto start = std::chrono::steady_clock::now();
    const auto ended = rousectl({"timeline", kId, "-f", "--until", "agent_home", "--timeout", "1"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("agent_home has not happened in time"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
}

TEST_F(RousectlTest, FollowingWaitsForAnApplianceThatIsAway) {
    log_in();
    std::thread outage([this] {
        std::this_thread::sleep_for(300ms);
        appliance_.vanish();
    });
    const auto ended = rousectl({"timeline", kId, "-f", "--timeout", "2"});
    outage.join();
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("trying on"));
    EXPECT_THAT(ended.err, HasSubstr("the time is over"));
}

}  // namespace
}  // namespace rouse::cli
