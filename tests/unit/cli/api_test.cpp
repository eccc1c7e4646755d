// rousectl against the real API, over a socket: the table of kinds, and what the verbs do.

#include "mgmt/cli/command.hpp"
#include "mgmt/http/openapi.hpp"
#include "tests/unit/http/server.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace rouse::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsSupersetOf;

struct Ended {
    int code;
    std::string out, err;
};

class RousectlApiTest : public ims::ApiTest {
  protected:
    Ended rousectl(const std::vector<std::string>& arguments, const std::string& input = "",
                   std::optional<std::string> answer = std::nullopt) {
        std::istringstream in(input);
        std::ostringstream out, err;
        const auto ask = [&](const std::string& prompt) {
            err << prompt;
            return answer;
        };
        Console console{.in = in, .out = out, .err = err, .ask_secret = ask, .ask = ask};
        const Environment environment{.url = "http://127.0.0.1:" + std::to_string(server_.port()),
                                      .token = "any",
                                      .config_dir = directory_.path() + "/cli"};
        const int code = run(arguments, console, environment);
        return {code, out.str(), err.str()};
    }
    json shown(const std::vector<std::string>& arguments) {
        auto all = arguments;
        all.insert(all.end(), {"-o", "json"});
        const auto ended = rousectl(all);
        EXPECT_EQ(ended.code, 0) << ended.err;
        return json::parse(ended.out, nullptr, false);
    }
    std::string file(const std::string& name, const std::string& content) {
        std::ofstream(directory_.path() + "/" + name) << content;
        return directory_.path() + "/" + name;
    }

    http::Server server_{api_};
};

// What its machines make of a cluster is not to be set by hand.
constexpr const char* kFollowed = "cluster.health";

// Every list takes these, whose objects were made at some moment.
const std::set<std::string> kMoments{"since", "until"};

// A field that the API gets must be given an option here, in mgmt/cli/kinds.cpp.
TEST_F(RousectlApiTest, TheTableOfKindsIsTheApis) {
    const json document = http::openapi_document(api_, "rouse");
    for (const Kind& kind : kinds()) {
        if (kind.noun == "stranger") continue;  // not of this router
        ASSERT_TRUE(document["paths"].contains(kind.path)) << kind.path;
        ASSERT_TRUE(document["components"]["schemas"].contains(kind.schema)) << kind.schema;
        const json& fields = document["components"]["schemas"][kind.schema]["properties"];
        for (const auto& name : kind.names) EXPECT_TRUE(fields.contains(name)) << kind.noun << " " << name;
        for (const auto& name : kind.fields) EXPECT_TRUE(fields.contains(name)) << kind.noun << " " << name;
        for (const auto& one : kind.columns)
            EXPECT_TRUE(one.member.empty() || fields.contains(one.member)) << kind.noun << " " << one.member;
        for (const auto& member : kind.members) {
            ASSERT_TRUE(fields.contains(member.field)) << kind.noun << " " << member.field;
            const json& field = fields[member.field];
            EXPECT_FALSE(field.value("readOnly", false)) << kind.noun << " " << member.field;
            if (field.contains("enum")) {
                EXPECT_THAT(field["enum"].get<std::vector<std::string>>(), IsSupersetOf(member.words))
                    << kind.noun << " " << member.field;
            }
        }
        for (const auto& filter : kind.filters) {
            if (kMoments.contains(filter.field)) continue;
            EXPECT_TRUE(fields.contains(filter.field)) << kind.noun << " " << filter.field;
            if (!filter.words.empty()) {
                EXPECT_THAT(fields[filter.field]["enum"].get<std::vector<std::string>>(),
                            IsSupersetOf(filter.words));
            }
        }
        if (!kind.can(Verb::set)) continue;
        for (const auto& [name, field] : fields.items())
            EXPECT_TRUE(field.value("readOnly", false) || kind.noun + "." + name == kFollowed ||
                        kind.find(name) != nullptr)
                << "rousectl " << kind.noun << " set has no option for " << name;
    }
}

TEST_F(RousectlApiTest, ObjectsAreAddedChangedAndDeletedByName) {
    EXPECT_EQ(rousectl({"cluster", "add", "edge"}).out, "added the cluster edge\n");
    EXPECT_EQ(rousectl({"pool", "add", "10.77.0.0/16", "--from", "10.77.1.1", "--to", "10.77.1.99"}).code, 0);
    EXPECT_EQ(rousectl({"machine", "add", "node1", "52:54:00:00:00:01", "--cluster", "edge"}).out,
              "registered node1 (52:54:00:00:00:01) with the address 10.77.1.1\n");
    EXPECT_EQ(rousectl({"machine", "list", "--cluster", "edge", "--columns", "hostname,cluster"}).out,
              "HOSTNAME  CLUSTER\nnode1     edge\n");
    EXPECT_EQ(rousectl({"machine", "set", "10.77.1.1", "--role", "STORAGE", "--hostname", "store1"}).out,
              "changed the machine store1\n");
    EXPECT_EQ(shown({"machine", "show", "52:54:00:00:00:01"})["role"], "STORAGE");
    EXPECT_EQ(rousectl({"machine", "set", "store1", "--unset", "role"}).code, 0);
    EXPECT_FALSE(shown({"machine", "show", "store1"}).contains("role"));
    EXPECT_EQ(rousectl({"lease", "show", "52:54:00:00:00:01", "-o", "name"}).out, "10.77.1.1\n");
    EXPECT_EQ(rousectl({"pool", "set", "10.77.0.0/16", "--dns", "10.77.0.2", "--lease-seconds", "600"}).code,
              0);
    EXPECT_EQ(shown({"pool", "show", "10.77.0.0/16"})["lease_seconds"], 600);
    EXPECT_EQ(rousectl({"dhcp-config", "set", "--enabled", "false"}).out,
              "changed the configuration of DHCP\n");
    EXPECT_EQ(shown({"dhcp-config", "show"})["enabled"], false);
}

TEST_F(RousectlApiTest, TheAuditLogTellsWhoDidWhat) {
    EXPECT_EQ(rousectl({"cluster", "add", "edge"}).code, 0);
    EXPECT_EQ(rousectl({"cluster", "set", "edge", "--description", "in the cellar"}).code, 0);
    EXPECT_EQ(rousectl({"audit", "list", "--columns", "event,user,kind"}).out,
              "EVENT    USER    KIND\ncreated  tester  cluster\nchanged  tester  cluster\n");
    const json last = shown({"audit", "list", "--sort=-created_at", "--limit", "1"});
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0]["after"]["description"], "in the cellar");
    EXPECT_EQ(shown({"audit", "show", last[0]["id"]}), last[0]);
    EXPECT_EQ(shown({"audit", "list", "--event", "created", "--since", "2020-01-01T00:00:00Z"}).size(), 1U);
    EXPECT_EQ(rousectl({"audit", "list", "--since", "yesterday"}).code, 1);
    role_ = http::Role::operator_;
    EXPECT_EQ(rousectl({"audit", "list"}).code, 4);
}

TEST_F(RousectlApiTest, RefusalsNameOptionsAndHaveTheirCodes) {
    ASSERT_EQ(rousectl({"pool", "add", "10.77.0.0/16"}).code, 0);
    auto ended = rousectl({"pool", "add", "10.78.0.0/16", "--from", "10.79.0.1", "--dns", "10.0.0.1", "x"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("\n  --dns (1) must be an IPv4 address"));
    ended = rousectl({"pool", "add", "10.78.0.0"});
    EXPECT_THAT(ended.err, HasSubstr("\n  CIDR must"));
    EXPECT_EQ(rousectl({"pool", "add", "10.77.0.0/24"}).code, 5) << "it overlaps";
    ASSERT_EQ(rousectl({"machine", "add", "a", "52:54:00:00:00:01"}).code, 0);
    EXPECT_EQ(rousectl({"machine", "add", "b", "52:54:00:00:00:01"}).code, 5);
    EXPECT_EQ(rousectl({"machine", "show", "c"}).code, 3);
    EXPECT_EQ(rousectl({"image", "show", "c"}).code, 3);
    EXPECT_EQ(rousectl({"machine", "list", "--filter", "wings=2"}).code, 1);
    EXPECT_EQ(rousectl({"pool", "delete", "10.77.0.0/16"}).code, 5);
    EXPECT_EQ(rousectl({"pool", "delete", "10.77.0.0/16", "--force"}).code, 0);
    role_ = http::Role::viewer;
    EXPECT_EQ(rousectl({"machine", "add", "b", "52:54:00:00:00:02"}).code, 4);
    EXPECT_EQ(rousectl({"user", "list"}).code, 4);
}

TEST_F(RousectlApiTest, ADeletionThatTakesMoreAlongWantsAYes) {
    ASSERT_EQ(rousectl({"cluster", "add", "edge"}).code, 0);
    EXPECT_EQ(rousectl({"cluster", "add", "empty"}).code, 0);
    for (const char* n : {"1", "2"})
        ASSERT_EQ(rousectl({"machine", "add", std::string("node") + n, std::string("52:54:00:00:00:0") + n,
                            "--cluster", "edge"})
                      .code,
                  0);
    auto ended = rousectl({"cluster", "delete", "edge"});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.err,
                HasSubstr("this deletes the cluster edge and with it the 2 machines in it; say --yes"));
    ended = rousectl({"cluster", "delete", "edge"}, "", "n");
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("Delete the cluster edge and with it the 2 machines in it? [y/N] "));
    EXPECT_EQ(rousectl({"cluster", "list", "-o", "name"}).out, "edge\nempty\n");
    EXPECT_EQ(rousectl({"cluster", "delete", "empty", "nowhere"}).code, 3);
    EXPECT_EQ(rousectl({"cluster", "list", "-o", "name"}).out, "edge\nempty\n") << "all or nothing is named";
    EXPECT_EQ(rousectl({"cluster", "delete", "empty"}).code, 0) << "nothing goes along";
    EXPECT_EQ(rousectl({"cluster", "delete", "edge", "--yes"}).out, "deleted edge\n");
    EXPECT_EQ(rousectl({"machine", "list"}).out, "none\n");
}

TEST_F(RousectlApiTest, UsersHavePasswordsThatAreNotOnTheCommandLine) {
    EXPECT_EQ(rousectl({"user", "add", "eve", "--role", "viewer"}).code, 2);
    EXPECT_EQ(rousectl({"user", "add", "eve", "--role", "viewer", "--password-stdin"}, "correct horse\n").out,
              "added the user eve\n");
    const auto ended = rousectl({"user", "set", "eve", "--password"}, "", "short");
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("New password of eve: "));
    EXPECT_THAT(ended.err, HasSubstr("--password must"));
    EXPECT_EQ(rousectl({"user", "set", "eve", "--role", "operator"}).code, 0);
    EXPECT_EQ(shown({"user", "show", "eve"})["role"], "operator");
}

TEST_F(RousectlApiTest, ClientsHaveSecretsThatAreShownOnce) {
    const auto added =
        rousectl({"oauth", "add", "smo", "--description", "of Oslo", "--roles", "viewer", "operator"});
    EXPECT_EQ(added.code, 0) << added.err;
    EXPECT_THAT(added.out, HasSubstr("added the client smo; its secret, shown this once: "));
    EXPECT_EQ(rousectl({"oauth", "list", "--columns", "client_id,roles"}).out,
              "CLIENT_ID  ROLES\nsmo        viewer,operator\n");
    EXPECT_FALSE(shown({"oauth", "show", "smo"}).contains("client_secret"));
    const auto secret = rousectl({"oauth", "rotate", "smo", "-o", "name"}).out;
    EXPECT_GT(secret.size(), 20U);
    EXPECT_THAT(added.out, testing::Not(HasSubstr(secret)));
    EXPECT_THAT(rousectl({"oauth", "rotate", "smo"}).out,
                HasSubstr("the new secret of smo, shown this once: "));
    EXPECT_EQ(rousectl({"oauth", "set", "smo", "--roles", "viewer"}).code, 0);
    EXPECT_EQ(shown({"oauth", "show", "smo"})["roles"], json({"viewer"}));
    EXPECT_EQ(rousectl({"oauth", "add", "smo", "--roles", "viewer"}).code, 5);
    EXPECT_EQ(rousectl({"oauth", "rotate", "nobody"}).code, 3);
    EXPECT_EQ(rousectl({"oauth", "delete", "smo"}).code, 0);
    EXPECT_EQ(rousectl({"oauth", "list"}).out, "none\n");
    role_ = http::Role::operator_;
    EXPECT_EQ(rousectl({"oauth", "list"}).code, 4);
}

std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(RousectlApiTest, ABackupIsAFileForItsOwnerAlone) {
    const auto path = file("backup.tar", "the one before");
    std::filesystem::permissions(path, std::filesystem::perms::all);
    const auto ended = rousectl({"backup", path});
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("saved " + path + ", "));
    EXPECT_THAT(ended.err, HasSubstr(path + ": 100%"));
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const std::string saved = content_of(path);
    EXPECT_TRUE(saved.starts_with("manifest.json"));
    EXPECT_EQ(saved.size() % 512, 0U);
    const json told = shown({"backup", path});
    EXPECT_EQ(told["size"], content_of(path).size());
    EXPECT_EQ(rousectl({"backup", directory_.path()}).code, 2);
    EXPECT_EQ(rousectl({"backup", directory_.path() + "/nowhere/x"}).code, 1);
    role_ = http::Role::operator_;
    const std::string before = content_of(path);
    EXPECT_EQ(rousectl({"backup", path}).code, 4);
    EXPECT_TRUE(content_of(path) == before);
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
        EXPECT_EQ(entry.path().string().find(".part-"), std::string::npos) << entry.path();
}

TEST_F(RousectlApiTest, RestoreSaysHowAndDoesNothing) {
    const auto ended = rousectl({"restore", "x.tar"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("nothing was restored"));
    EXPECT_THAT(ended.err, HasSubstr("rouse-mgmt --config CONFIGURATION --restore x.tar"));
}

TEST_F(RousectlApiTest, AProfilesLoadersAndFilesAreChangedOneByOne) {
    const auto a = file("a", "A {{hostname}}\n"), b = file("b", "B\n");
    ASSERT_EQ(rousectl({"profile", "add", "p", "--kernel", "k", "--loader", "bios=x", "--loader",
                        "x64-uefi=y", "--template", "a.cfg=" + a})
                  .code,
              0);
    EXPECT_EQ(rousectl({"profile", "set", "p", "--loader", "bios=", "--template", "b.cfg=" + b}).code, 0);
    json profile = shown({"profile", "show", "p"});
    EXPECT_EQ(profile["loaders"], json({{"x64-uefi", "y"}}));
    EXPECT_EQ(profile["templates"], json({{{"name", "a.cfg"}, {"content", "A {{hostname}}\n"}},
                                          {{"name", "b.cfg"}, {"content", "B\n"}}}));
    EXPECT_EQ(rousectl({"profile", "set", "p", "--template", "a.cfg="}).code, 0);
    EXPECT_EQ(shown({"profile", "show", "p"})["templates"].size(), 1U);
    EXPECT_EQ(rousectl({"profile", "set", "p", "--template", "a.cfg=" + a + "-missing"}).code, 2);
}

constexpr const char* kPlan = R"(
kind: cluster
name: edge
---
- kind: pool
  cidr: 10.77.0.0/16
  range_start: 10.77.1.1
- kind: BootProfile
  name: debian
  kernel: linux
  loaders: {bios: a, x64-uefi: b}
---
kind: machine
hostname: node1
mac: 52:54:00:00:00:01
cluster: edge
boot_profile: debian
---
kind: tftp-config
block_size: 1024
)";

TEST_F(RousectlApiTest, AFileIsApplied) {
    const auto plan = file("plan.yaml", kPlan);
    auto ended = rousectl({"apply", "-f", plan, "--dry-run"});
    EXPECT_EQ(
        ended.out,
        "cluster edge would be added\npool 10.77.0.0/16 would be added\nboot profile debian would be added\n"
        "machine node1 would be added\nconfiguration of TFTP would be changed (block_size)\n")
        << ended.err;
    EXPECT_EQ(rousectl({"cluster", "list"}).out, "none\n");
    ended = rousectl({"apply", "-f", "-"}, kPlan);
    EXPECT_EQ(ended.out,
              "cluster edge added\npool 10.77.0.0/16 added\nboot profile debian added\nmachine node1 added\n"
              "configuration of TFTP changed (block_size)\n")
        << ended.err;
    ended = rousectl({"apply", "-f", plan});
    EXPECT_EQ(ended.out,
              "cluster edge unchanged\npool 10.77.0.0/16 unchanged\nboot profile debian unchanged\n"
              "machine node1 unchanged\nconfiguration of TFTP unchanged\n");
    // What is listed can be applied: fields that are only shown are passed over.
    const auto listed = rousectl({"profile", "list", "-o", "yaml"}).out;
    ended = rousectl({"apply", "-f", "-"},
                     "kind: profile\nname: debian\nkernel: linux\nloaders: {x64-uefi: c}\nwarnings: [x]\n");
    EXPECT_EQ(ended.out, "boot profile debian changed (loaders)\n") << ended.err;
    EXPECT_EQ(shown({"profile", "show", "debian"})["loaders"], json({{"x64-uefi", "c"}}));
}

TEST_F(RousectlApiTest, WhatCannotBeAppliedIsNamed) {
    const std::vector<std::pair<std::string, std::string>> bad = {
        {"", "holds no objects"},
        {"x: [", "line 1 is not understood"},
        {"kind: spaceship", "object 1 has the kind spaceship"},
        {"kind: lease", "object 1 has the kind lease"},
        {"- {kind: cluster, name: a}\n- 7", "object 2 is no object"},
        {"kind: cluster\nname: a\nwings: 2", "has the field wings, which a cluster does not have"},
        {"kind: cluster", "does not say its name"}};
    for (const auto& [text, message] : bad) {
        const auto ended = rousectl({"apply", "-f", "-"}, text);
        EXPECT_EQ(ended.code, 2) << text;
        EXPECT_THAT(ended.err, HasSubstr(message));
    }
    EXPECT_EQ(rousectl({"cluster", "list"}).out, "none\n")
        << "nothing is done of a file that is not understood";
    const auto ended =
        rousectl({"apply", "-f", "-"}, "[{kind: cluster, name: a}, {kind: machine, hostname: b, mac: c}]");
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("machine b: "));
    EXPECT_THAT(ended.err, HasSubstr("the 1 of 2 objects before it are done"));
}

}  // namespace
}  // namespace rouse::cli
