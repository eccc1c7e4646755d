#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class AuditTest : public ApiTest {
  protected:
    // The log as an administrator reads it, with all that was said before.
    json log(const std::string& query = "") {
        EXPECT_TRUE(writer_->run([](store::Batch&) -> Result<void> { return {}; }));
        const auto role = std::exchange(role_, http::Role::administrator);
        const auto answer = get("/api/audit/" + query);
        role_ = role;
        EXPECT_EQ(answer.code, 200U) << answer.text;
        return answer.body();
    }
    static std::vector<std::string> events(const json& entries) {
        std::vector<std::string> out;
        for (const auto& entry : entries) out.push_back(entry.at("event"));
        return out;
    }
};

using testing::ElementsAre;

TEST_F(AuditTest, EveryChangeIsThereWithWhatWasBefore) {
    const json made = make("/api/cluster/", {{"name", "edge"}});
    const std::string here = path("/api/cluster/", made);
    patch(here, {{"description", "in the cellar"}});
    put(here, {{"name", "core"}});
    remove(here);
    const json entries = log();
    ASSERT_THAT(events(entries), ElementsAre("created", "changed", "changed", "deleted"));
    for (const auto& entry : entries) {
        EXPECT_EQ(entry["user"], "tester");
        EXPECT_EQ(entry["roles"], json({"administrator"}));
        EXPECT_EQ(entry["address"], "10.77.9.9");
        EXPECT_EQ(entry["request_id"], "request-1");
        EXPECT_EQ(entry["object"], made["id"]);
        EXPECT_EQ(entry["kind"], "cluster");
    }
    EXPECT_EQ(entries[1]["method"], "PATCH");
    EXPECT_EQ(entries[1]["path"], here);
    EXPECT_EQ(entries[1]["after"], json({{"description", "in the cellar"}}));
    EXPECT_EQ(entries[3]["before"]["name"], "core");
}

TEST_F(AuditTest, WhatGoesWithAnObjectIsThereToo) {
    const json cluster = make("/api/cluster/", {{"name", "edge"}});
    make("/api/machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"cluster", cluster["id"]}});
    ASSERT_EQ(remove(path("/api/cluster/", cluster) + "?force=true").code, 204U);
    std::vector<std::string> deleted;
    for (const auto& entry : log())
        if (entry["event"] == "deleted") deleted.push_back(entry["kind"]);
    EXPECT_THAT(deleted, testing::UnorderedElementsAre("machine", "cluster"));
}

TEST_F(AuditTest, ARefusedOrFailedChangeIsNoChange) {
    make("/api/cluster/", {{"name", "edge"}});
    EXPECT_EQ(post("/api/cluster/", {{"name", "edge"}}).code, 409U);
    EXPECT_EQ(post("/api/cluster/", {{"nom", "edge"}}).code, 400U);
    EXPECT_THAT(events(log()), ElementsAre("created"));
}

TEST_F(AuditTest, RefusedRequestsAndFailedLoginsAreThere) {
    role_ = http::Role::viewer;
    EXPECT_EQ(post("/api/cluster/", {{"name", "edge"}}).code, 403U);
    EXPECT_EQ(post("/api/token/", {{"username", "mallory"}, {"password", "guess"}}).code, 401U);
    const json entries = log();
    ASSERT_THAT(events(entries), ElementsAre("refused", "login-failed"));
    EXPECT_EQ(audit_.lost(), 0U);
    EXPECT_EQ(entries[0]["user"], "tester");
    EXPECT_EQ(entries[0]["status"], 403);
    EXPECT_EQ(entries[0]["path"], "/api/cluster/");
    EXPECT_EQ(entries[1]["user"], "mallory");
    EXPECT_EQ(entries[1]["status"], 401);
    EXPECT_EQ(entries[1].dump().find("guess"), std::string::npos);
}

TEST_F(AuditTest, AFloodOfRefusalsDoesNotFloodIt) {
    role_ = http::Role::viewer;
    for (int i = 0; i < 2 * static_cast<int>(AuditTrail::kAtOnce); ++i)
        EXPECT_EQ(post("/api/cluster/", {{"name", "edge"}}).code, 403U);
    EXPECT_GT(audit_.suppressed(), 0U);
    EXPECT_EQ(log().size() + audit_.suppressed(), 2 * static_cast<std::size_t>(AuditTrail::kAtOnce));
}

TEST_F(AuditTest, WhatChangesNoDocumentIsARequest) {
    EXPECT_EQ(post("/api/image-collections/", {}).code, 200U);
    EXPECT_EQ(post("/api/token-keys/rotate/", {}).code, 200U);
    EXPECT_EQ(get("/api/cluster/").code, 200U);
    const json entries = log();
    ASSERT_THAT(events(entries), ElementsAre("request", "request"));
    EXPECT_EQ(entries[1]["path"], "/api/token-keys/rotate/");
}

TEST_F(AuditTest, ABackupIsThereForItTellsEverything) {
    EXPECT_EQ(get("/api/backup/").code, 200U);
    const json entries = log();
    ASSERT_THAT(events(entries), ElementsAre("request"));
    EXPECT_EQ(entries[0]["path"], "/api/backup/");
}

TEST_F(AuditTest, TellsAClientFromAUserOfTheSameName) {
    make("/api/cluster/", {{"name", "a"}});
    api_.authenticate_with([](const http::Request&) -> http::OrProblem<http::Principal> {
        return http::Principal{"tester", http::Role::administrator, true};
    });
    make("/api/cluster/", {{"name", "b"}});
    EXPECT_EQ(log("?is_client=false")[0]["after"]["name"], "a");
    EXPECT_EQ(log("?is_client=true")[0]["after"]["name"], "b");
}

TEST_F(AuditTest, HoldsAFewPagesOfALongLog) {
    constexpr int kMany = 2500;
    ASSERT_TRUE(writer_->run([](store::Batch& batch) -> Outcome<void> {
        store::Author author;
        author.user = "bob";
        for (int i = 0; i < kMany; ++i)
            if (auto added = store::audit(batch, author, {.event = "request", .object = std::to_string(i)});
                !added)
                return added;
        return {};
    }));
    EXPECT_EQ(log().size(), 1000U);
    EXPECT_EQ(log("?limit=2400").size(), 2400U);
    EXPECT_EQ(get("/api/audit/?limit=10001").code, 400U);
    EXPECT_EQ(log()[999]["object"], "999") << "in the order in which they were made";
    const auto page = get("/api/audit/?sort=-id&limit=3");
    const json newest = page.body();
    ASSERT_EQ(newest.size(), 3U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(newest[i]["object"], std::to_string(kMany - 1 - i));
    const std::string link(page.headers.get("Link"));
    const json next = get(link.substr(1, link.find('>') - 1)).body();
    ASSERT_EQ(next.size(), 3U);
    EXPECT_EQ(next[0]["object"], std::to_string(kMany - 4));
}

TEST_F(AuditTest, ChoosesByObjectUserAndTime) {
    const json a = make("/api/cluster/", {{"name", "a"}});
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const json b = make("/api/cluster/", {{"name", "b"}});
    EXPECT_EQ(log("?object=" + b["id"].get<std::string>()).size(), 1U);
    EXPECT_EQ(log("?user=tester").size(), 2U);
    EXPECT_EQ(log("?user=nobody").size(), 0U);
    EXPECT_EQ(log("?event=created&kind=cluster").size(), 2U);
    const auto when = b["created_at"].get<std::string>();
    EXPECT_EQ(log("?since=" + when)[0]["object"], b["id"]);
    EXPECT_EQ(log("?since=" + when).size(), 1U);
    EXPECT_EQ(log("?until=" + when)[0]["object"], a["id"]);
    EXPECT_EQ(log("?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00%2B02:00").size(), 0U);
    EXPECT_EQ(log("?until=2600-01-01T00:00:00Z").size(), log("").size());
    EXPECT_EQ(log("?since=2600-01-01T00:00:00Z").size(), 0U);
    EXPECT_EQ(log("?since=1999-12-31T23:59:59Z&object=" + a["id"].get<std::string>()).size(), 1U);
    for (const char* wrong : {"yesterday", "2026-11-20", "2026-11-20T12:34:56", "2026-13-01T00:00:00Z",
                              "2026-02-30T00:00:00Z", "2026-1-1T0:0:0Z", "2026-11-20T12:34:56+ab:cd", ""})
        EXPECT_EQ(get(std::string("/api/audit/?since=") + wrong).code, 400U) << wrong;
}

TEST_F(AuditTest, PagesAsOtherLists) {
    for (int i = 0; i < 5; ++i) make("/api/cluster/", {{"name", "c" + std::to_string(i)}});
    const auto first = get("/api/audit/?limit=2");
    EXPECT_EQ(first.body().size(), 2U);
    const std::string link(first.headers.get("Link"));
    const auto next = get(link.substr(1, link.find('>') - 1));
    EXPECT_EQ(next.body()[0]["after"]["name"], "c2");
    EXPECT_EQ(get("/api/audit/?sort=-created_at&limit=1").body()[0]["after"]["name"], "c4");
    EXPECT_EQ(get(path("/api/audit/", next.body()[0])).body(), next.body()[0]);
}

TEST_F(AuditTest, NothingOverRestChangesIt) {
    const json made = make("/api/cluster/", {{"name", "edge"}});
    const std::string entry = path("/api/audit/", log()[0]);
    EXPECT_EQ(remove(entry).code, 405U);
    EXPECT_EQ(put(entry, {}).code, 405U);
    EXPECT_EQ(patch(entry, {}).code, 405U);
    EXPECT_EQ(remove("/api/audit/").code, 405U);
    EXPECT_EQ(post("/api/audit/", {}).code, 405U);
}

TEST_F(AuditTest, ImagesAndSwitchesAreObjectsToo) {
    EXPECT_EQ(call(Method::put, "/api/images/kernel", "bytes").code, 201U);
    EXPECT_EQ(remove("/api/images/kernel").code, 204U);
    EXPECT_EQ(patch("/api/tftp-config/", {{"enabled", false}}).code, 200U);
    const json entries = log();
    ASSERT_THAT(events(entries), ElementsAre("created", "deleted", "created"));
    EXPECT_EQ(entries[0]["after"]["name"], "kernel");
    EXPECT_EQ(entries[2]["kind"], "setting");
}

}  // namespace
}  // namespace rouse::ims
