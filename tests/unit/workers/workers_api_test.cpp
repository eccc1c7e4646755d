#include "mgmt/ims/worker_access.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class WorkersApi : public ApiTest {
  protected:
    WorkersApi() { appliance_.introduce("centre", false); }

    json enrolment(const json& body) {
        const auto made = post("/api/ims-worker/enrolments/", body);
        EXPECT_EQ(made.code, 201U) << made.text;
        return made.body();
    }
    Answer enrol(const std::string& id, const std::string& token) {
        return post("/api/ims-worker/register/",
                    {{"worker_id", id}, {"ip_address", "10.77.0.2"}, {"enrolment_token", token}});
    }
    json worker(const std::string& id) { return get("/api/ims-worker/?worker_id=" + id).body().at(0); }
};

TEST_F(WorkersApi, AnEnrolmentRegistersOneWorkerOnce) {
    const json permit = enrolment({{"worker_id", "w1"}});
    const json listed = get("/api/ims-worker/enrolments/").body();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_FALSE(listed[0].contains("token")) << "it is shown once";
    EXPECT_EQ(enrol("w2", permit["token"]).code, 401U) << "it is another's";
    const auto registered = enrol("w1", permit["token"]);
    ASSERT_EQ(registered.code, 201U) << registered.text;
    EXPECT_EQ(registered.body()["heartbeat_seconds"], 10);
    EXPECT_EQ(enrol("w1", permit["token"]).code, 401U) << "it is used up";

    const std::string token = registered.body()["token"];
    const auto principal = worker_of_token(*store_, token);
    ASSERT_TRUE(principal);
    EXPECT_EQ(principal->user, "w1");
    EXPECT_TRUE(http::allows(principal->roles, http::Role::worker));
    EXPECT_FALSE(http::allows(principal->roles, http::Role::viewer));
    EXPECT_EQ(worker_of_token(*store_, token + "0").error().status, http::Status::unauthorized);
    EXPECT_EQ(get("/api/ims-worker/").text.find("token"), std::string::npos) << "no secret leaves";
    EXPECT_EQ(worker("w1")["status"], "inactive") << "it has not beaten yet";

    // Registered anew, it has a new token, and the old one is good no more.
    ASSERT_EQ(enrol("w1", enrolment(json::object())["token"]).code, 201U);
    EXPECT_FALSE(worker_of_token(*store_, token));
}

TEST_F(WorkersApi, BadRegistrationsSayWhatIsWrong) {
    const std::string permit = enrolment(json::object())["token"];
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong :
         {Case{json::object(), 400, "/worker_id"},
          {{{"worker_id", "a/b"}, {"ip_address", "10.0.0.1"}}, 400, "/worker_id"},
          {{{"worker_id", ".."}, {"ip_address", "10.0.0.1"}}, 400, "/worker_id"},
          {{{"worker_id", std::string(64, 'a')}, {"ip_address", "10.0.0.1"}}, 400, "/worker_id"},
          {{{"worker_id", "w1"}, {"ip_address", "nowhere"}}, 400, "/ip_address"},
          {{{"worker_id", "w1"}}, 400, "/ip_address"},
          {{{"worker_id", "w1"}, {"ip_address", "10.0.0.1"}, {"x", 1}}, 400, "/x"},
          {{{"worker_id", "w1"}, {"ip_address", "10.0.0.1"}}, 401, ""},
          {{{"worker_id", "centre"}, {"ip_address", "10.0.0.1"}, {"enrolment_token", permit}},
           409,
           "/worker_id"}}) {
        const auto answer = post("/api/ims-worker/register/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << answer.text;
    }
    EXPECT_EQ(get("/api/ims-worker/enrolments/").body().size(), 1U) << "what failed used nothing up";
    EXPECT_EQ(post("/api/ims-worker/enrolments/", {{"valid_seconds", 1}}).wrong_field(), "/valid_seconds");
}

TEST_F(WorkersApi, ABeatIsShownAtOnceAndIsNobodyElses) {
    make("/api/ims-worker/", {{"worker_id", "w1"}});
    const json beat{{"worker_id", "w1"},
                    {"services", {{"dhcp", {{"status", "running"}}}, {"tftp", {{"status", "running"}}}}},
                    {"metrics", {{"machines", 20}}}};
    EXPECT_EQ(post("/api/ims-worker/heartbeat/", beat).body()["status"], "active");
    EXPECT_EQ(worker("w1")["metrics"]["machines"], 20);
    json failing = beat;
    failing["services"]["dhcp"] = {{"status", "error"}, {"last_error", "no interface"}};
    EXPECT_EQ(post("/api/ims-worker/heartbeat/", failing).body()["status"], "error");
    EXPECT_EQ(worker("w1")["services"]["dhcp"]["last_error"], "no interface");
    EXPECT_EQ(post("/api/ims-worker/heartbeat/", {{"worker_id", "w9"}}).code, 404U);
    EXPECT_EQ(post("/api/ims-worker/heartbeat/", {{"worker_id", "w1"}, {"services", {{"dhcp", 7}}}}).code,
              400U);
    role_ = http::Role::worker;  // the token of a worker called "tester"
    EXPECT_EQ(post("/api/ims-worker/heartbeat/", beat).code, 403U);
    EXPECT_EQ(get("/api/ims-worker/w1/changes/").code, 403U);
    EXPECT_EQ(get("/api/machines/").code, 403U);
    role_ = http::Role::viewer;
    EXPECT_EQ(post("/api/ims-worker/heartbeat/", beat).code, 403U);
}

TEST_F(WorkersApi, ClustersAreGivenToWorkersThatExist) {
    const json worker = make("/api/ims-worker/", {{"worker_id", "w1"}});
    const json rack = make("/api/cluster/", {{"name", "r1"}});
    const std::string here = path("/api/cluster/", rack);
    EXPECT_EQ(patch(here, {{"worker", "w9"}}).wrong_field(), "/worker");
    EXPECT_EQ(patch(here, {{"worker", "w1"}, {"standby", "w9"}}).wrong_field(), "/standby");
    EXPECT_EQ(patch(here, {{"worker", "w1"}, {"standby", "w1"}}).wrong_field(), "/standby");
    EXPECT_EQ(patch(here, {{"standby", "w1"}}).wrong_field(), "/standby");
    EXPECT_EQ(post(here + "hand_back/", json::object()).code, 409U);
    const auto given = patch(here, {{"worker", "w1"}, {"standby", "centre"}});
    ASSERT_EQ(given.code, 200U) << given.text;
    EXPECT_EQ(given.body()["served_by"], "centre") << "w1 has not been heard of";
    EXPECT_EQ(given.body()["assignment"], "taken_over");
    EXPECT_EQ(put(here, {{"name", "r1"}}).body()["worker"], "w1") << "only what is said changes";
    EXPECT_EQ(post(here + "hand_back/", json::object()).code, 409U);
    EXPECT_EQ(remove(path("/api/ims-worker/", worker)).code, 409U);
    ASSERT_EQ(post("/api/ims-worker/heartbeat/", {{"worker_id", "w1"}}).code, 200U);
    const auto back = post(here + "hand_back/", json::object());
    ASSERT_EQ(back.code, 200U) << back.text;
    EXPECT_EQ(back.body()["served_by"], "w1");
    EXPECT_EQ(back.body()["epoch"], 2);
    EXPECT_EQ(patch(here, {{"worker", nullptr}, {"standby", nullptr}}).body()["assignment"], "own");
    EXPECT_EQ(remove(path("/api/ims-worker/", worker)).code, 204U);
}

TEST_F(WorkersApi, LeasesAndErrorsAreNoted) {
    make("/api/ims-worker/", {{"worker_id", "w1"}});
    make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}});
    const json machine = make("/api/machines/", {{"hostname", "n"}, {"mac", "02:00:00:00:00:01"}});
    json lease{{"ip_address", machine["ip"]},
               {"mac_address", "02:00:00:00:00:01"},
               {"lease_start", "2026-11-20T12:00:00Z"},
               {"lease_end", "2099-11-20T14:00:00.5+01:00"},
               {"cidr", "10.77.0.0/16"}};
    for (unsigned i = 0; i < 2; ++i)
        EXPECT_EQ(post("/api/ims-worker/report_lease/", {{"worker_id", "w1"}, {"lease", lease}}).code, 204U);
    const json listed = get("/api/ims-leases/?worker=w1").body();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0]["status"], "active");
    EXPECT_EQ(get("/api/leases/" + machine["ip"].get<std::string>() + "/").body()["binding_state"], "active");
    // What was promised there is nobody else's here.
    EXPECT_EQ(remove(path("/api/machines/", machine)).code, 204U);
    EXPECT_EQ(
        post("/api/machines/", {{"hostname", "m"}, {"mac", "02:00:00:00:00:02"}, {"ip", machine["ip"]}}).code,
        409U);
    lease["lease_end"] = "tomorrow";
    EXPECT_EQ(post("/api/ims-worker/report_lease/", {{"worker_id", "w1"}, {"lease", lease}}).wrong_field(),
              "/lease/lease_end");
    EXPECT_EQ(post("/api/ims-worker/report_lease/", {{"worker_id", "w1"}}).wrong_field(), "/lease");

    const json error{{"worker_id", "w1"}, {"error", {{"message", "disk full"}, {"details", {{"free", 0}}}}}};
    EXPECT_EQ(post("/api/ims-worker/report_error/", error).code, 204U);
    EXPECT_EQ(worker("w1")["last_error"]["message"], "disk full");
    EXPECT_EQ(
        post("/api/ims-worker/report_error/", {{"worker_id", "w1"}, {"error", json::object()}}).wrong_field(),
        "/error/message");
}

TEST_F(WorkersApi, TheFeedRefusesWhatItCannotUnderstand) {
    make("/api/ims-worker/", {{"worker_id", "w1"}});
    EXPECT_EQ(get("/api/ims-worker/w1/changes/?after=x").code, 400U);
    EXPECT_EQ(get("/api/ims-worker/w1/changes/?wait=1000").code, 400U);
    EXPECT_EQ(get("/api/ims-worker/w1/changes/?limit=0").code, 400U);
    EXPECT_EQ(get("/api/ims-worker/w9/changes/").code, 404U);
    EXPECT_EQ(get("/api/ims-worker/w1/contents/zz").code, 404U);
    const auto all = get("/api/ims-worker/w1/changes/");
    ASSERT_EQ(all.code, 200U) << all.text;
    EXPECT_TRUE(all.body()["complete"]);
    EXPECT_EQ(call(Method::put, "/api/images/a", "abc").code, 201U);
    const std::string sha = get("/api/images/").body()[0]["sha256"];
    http::Headers rest;
    rest.add("Range", "bytes=1-");
    const auto part = call(Method::get, "/api/ims-worker/w1/contents/" + sha, {}, rest);
    EXPECT_EQ(part.code, 206U);
    EXPECT_EQ(part.text, "bc");
}

TEST_F(WorkersApi, AWorkerChangesNothingThatItsCentreSays) {
    const auto guarded = with_centre("https://centre:30205", [](const http::Request&) {
        return http::OrProblem<http::Principal>(http::Principal{"admin", http::Role::administrator});
    });
    auto may = [&](Method method, const std::string& target) {
        auto made = request(method, target);
        return guarded(made).has_value();
    };
    EXPECT_TRUE(may(Method::get, "/api/machines/"));
    EXPECT_FALSE(may(Method::post, "/api/machines/"));
    EXPECT_FALSE(may(Method::patch, "/api/cluster/x/"));
    EXPECT_FALSE(may(Method::put, "/api/images/vmlinuz"));
    EXPECT_TRUE(may(Method::patch, "/api/dhcp-config/")) << "its own services are its own";
    EXPECT_TRUE(may(Method::post, "/api/users/"));
    auto made = request(Method::delete_, "/api/ip-pools/x/");
    EXPECT_EQ(guarded(made).error().status, http::Status::conflict);
}

}  // namespace
}  // namespace rouse::ims
