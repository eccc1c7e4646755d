#include "tests/unit/api/whole_api.hpp"

namespace rouse::ims {
namespace {

class ResourceMetrics : public WholeApiTest {
  protected:
    ResourceMetrics() { make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}, {"gateway", "10.77.0.254"}}); }
    json cluster_ = make("/api/cluster/", {{"name", "edge"}});
    json machine_;
    void SetUp() override {
        machine_ = make("/api/machines/",
                        {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"cluster", cluster_["id"]}});
    }
    Answer heartbeat(const std::string& body, const json& from) {
        auto made = request(Method::post, "/agent/metrics");
        made.peer = *Ipv4Address::parse(from.get<std::string>());
        return send(whole_rack_, made, http::BodyText(body));
    }
};

TEST_F(ResourceMetrics, AreOnePerMachine) {
    const json made = make("/api/resource-metrics/", {{"machine", machine_["id"]},
                                                      {"cpu_usage", 12.5},
                                                      {"memory_used", 8},
                                                      {"memory_total", 32},
                                                      {"disk_usage", 40},
                                                      {"timestamp", "2026-11-29T12:00:00Z"}});
    EXPECT_EQ(made["memory_usage"], 25.0) << "reckoned";
    EXPECT_EQ(made["timestamp"], "2026-11-29T12:00:00Z");
    EXPECT_EQ(post("/api/resource-metrics/", {{"machine", machine_["id"]}}).code, 409U);
    const std::string here = path("/api/resource-metrics/", made);
    const json changed = patch(here, {{"memory_used", 16}}).body();
    EXPECT_EQ(changed["memory_usage"], 50.0);
    EXPECT_NE(changed["timestamp"], made["timestamp"]) << "figures without a time are of now";
    EXPECT_EQ(get("/api/resource-metrics/?machine=" + machine_["id"].get<std::string>()).body().size(), 1U);
    EXPECT_EQ(get(path("/api/machines/", machine_) + "metrics/").body(), changed);
    EXPECT_EQ(remove(here).code, 204U);
    EXPECT_EQ(get(path("/api/machines/", machine_) + "metrics/").code, 404U);
}

TEST_F(ResourceMetrics, BadInputNamesTheField) {
    const auto wrong = [this](const char* field, const json& value) {
        json body = {{"machine", machine_["id"]}, {"memory_total", 4}};
        body[field] = value;
        const auto answer = post("/api/resource-metrics/", body);
        EXPECT_EQ(answer.code, 400U) << answer.text;
        return answer.wrong_field();
    };
    EXPECT_EQ(wrong("machine", "01890000-0000-7000-8000-000000000000"), "/machine");
    EXPECT_EQ(wrong("cpu_usage", 100.5), "/cpu_usage");
    EXPECT_EQ(wrong("cpu_usage", "12"), "/cpu_usage");
    EXPECT_EQ(wrong("memory_used", 5), "/memory_used");
    EXPECT_EQ(wrong("memory_used", -1), "/memory_used");
    for (const char* time : {"yesterday", "2026-11-29T12:00:00", "2026-13-29T12:00:00Z",
                             "2026-11-29T12:00:00.Z", "2026-11-29T12:00:00+01:00"})
        EXPECT_EQ(wrong("timestamp", time), "/timestamp") << time;
}

TEST_F(ResourceMetrics, GoWithTheirMachine) {
    make("/api/resource-metrics/", {{"machine", machine_["id"]}});
    EXPECT_EQ(remove(path("/api/cluster/", cluster_)).code, 204U);
    EXPECT_EQ(get("/api/resource-metrics/").body(), json::array());
}

TEST_F(ResourceMetrics, AMachinesOwnHeartbeatMakesItActive) {
    EXPECT_EQ(heartbeat("{}", "10.77.0.99").code, 403U) << "nobody's address";
    const auto answer =
        heartbeat(R"({"cpu_usage": 3, "cpu_cores": 8, "load": "newer than we are"})", machine_["ip"]);
    EXPECT_EQ(answer.code, 204U) << answer.text;
    EXPECT_EQ(heartbeat(R"({"cpu_usage": 300})", machine_["ip"]).wrong_field(), "/cpu_usage");
    EXPECT_EQ(heartbeat(R"({"cpu_usage": 4})", machine_["ip"]).code, 204U);
    const json metrics = get("/api/resource-metrics/").body();
    ASSERT_EQ(metrics.size(), 1U);
    EXPECT_EQ(metrics[0]["cpu_usage"], 4);
    EXPECT_FALSE(metrics[0].contains("cpu_cores")) << "what it says now is all that it says";
    EXPECT_EQ(get(path("/api/machines/", machine_)).body()["status"], "ACTIVE");
    EXPECT_EQ(get(path("/api/cluster/", cluster_)).body()["status"], "OPERATIONAL");
    // The operator's word stands.
    patch(path("/api/machines/", machine_), {{"status", "MAINTENANCE"}});
    heartbeat("{}", machine_["ip"]);
    EXPECT_EQ(get(path("/api/machines/", machine_)).body()["status"], "MAINTENANCE");
}

}  // namespace
}  // namespace rouse::ims
