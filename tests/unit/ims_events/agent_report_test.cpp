#include "shared/client_kind.hpp"
#include "shared/clock.hpp"
#include "tests/unit/ims_events/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::ims {
namespace {

using ::testing::HasSubstr;

const nlohmann::json kHome = {
    {"stage", "home"},
    {"uptime_seconds", 4.5},
    {"kernel", "6.1.0-18-cloud-amd64"},
    {"hostname", "node1"},
    {"cpu", {{"model", "EPYC"}, {"cores", 4}, {"architecture", "x86_64"}}},
    {"memory_bytes", 16'800'000'000},
    {"disks",
     {{{"name", "sda"}, {"size_bytes", 512'000'000'000}, {"model", nullptr}, {"rotational", false}}}},
    {"interfaces",
     {{{"name", "eth0"}, {"mac", "02:00:00:00:00:01"}, {"driver", "e1000"}, {"speed_mbps", nullptr}}}},
    {"firmware", {{"vendor", "SeaBIOS"}, {"version", "1.16"}, {"serial", nullptr}, {"uuid", "x"}}},
    {"boot_mode", "bios"}};

class AgentReport : public ObservedTest {
  protected:
    Answer report(const nlohmann::json& body, const std::string& token) {
        return ask(http::Method::post, "/agent/report", body.dump(), "Bearer " + token);
    }
    nlohmann::json timeline(const store::Id& machine) {
        return get("/api/machines/" + machine.to_string() + "/timeline/").json();
    }
};

TEST_F(AgentReport, ATokenIsGoodFromItsMachinesAddressAlone) {
    const auto first = booting_machine(1);
    const auto own = peer_;
    const auto second = booting_machine(2);
    const auto token = token_of(1);
    const auto stolen = report(kHome, token);
    EXPECT_EQ(stolen.code, 403U);
    EXPECT_THAT(stolen.text, HasSubstr("another machine's"));
    peer_ = *IpAddress::parse("10.99.0.1");
    EXPECT_EQ(report(kHome, token).code, 403U) << "nobody's address";
    EXPECT_NE(fields_of(first.id)["status"], "ACTIVE");
    peer_ = own;
    EXPECT_EQ(report(kHome, token).code, 204U) << "and it is not spent";
}

TEST_F(AgentReport, ADiscoverBringsANewToken) {
    const auto machine = booting_machine(1);
    const auto before = token_of(1);
    auto ring = open_event_ring(run_dir_, 0).value();
    EventProducer producer(*ring);
    Event event;
    event.kind = EventKind::dhcp_discover;
    event.mac = *MacAddress::parse(boot::mac_text(1));
    event.time_ns = realtime_ns();
    event.detail = static_cast<std::uint16_t>(ClientKind::pxe);
    ASSERT_TRUE(producer.push(event));
    ASSERT_TRUE(consumer_->turn());
    const auto after = token_of(1);
    EXPECT_NE(after, before);
    EXPECT_EQ(report(kHome, after).code, 204U);
}

TEST_F(AgentReport, FromKernelUpToHome) {
    const auto machine = booting_machine(1);
    const auto token = token_of(1);
    ASSERT_EQ(token.size(), 64U);
    const auto up = report({{"stage", "kernel-up"}, {"uptime_seconds", 1.2}, {"kernel", "6.1.0"}}, token);
    EXPECT_EQ(up.code, 204U) << up.text;
    EXPECT_EQ(up.text, "");
    EXPECT_EQ(fields_of(machine.id)["status"], "DEPLOYING");
    // Its answer was lost: said again, it stands on the timeline once.
    EXPECT_EQ(report({{"stage", "kernel-up"}}, token).code, 204U);

    EXPECT_EQ(report(kHome, token).code, 204U);
    const auto fields = fields_of(machine.id);
    EXPECT_EQ(fields["status"], "ACTIVE");
    EXPECT_EQ(fields["hardware"]["cpu"]["cores"], 4);
    EXPECT_EQ(fields["hardware"]["disks"][0]["size_bytes"], 512'000'000'000);
    EXPECT_FALSE(fields["hardware"].contains("stage"));

    const auto entries = timeline(machine.id);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0]["event"], "kernel_up");
    EXPECT_EQ(entries[0]["text"], "kernel 6.1.0 runs, up 1.2 s");
    EXPECT_EQ(entries[1]["event"], "agent_home");
    EXPECT_EQ(entries[1]["text"],
              "agent home (kernel 6.1.0-18-cloud-amd64, up 4.5 s): 4 cores EPYC, 16.8 GB memory, 1 disk, "
              "1 network interface");

    // Spent, and the next boot's script carries another one.
    const auto again = report(kHome, token);
    EXPECT_EQ(again.code, 410U);
    EXPECT_THAT(again.text, HasSubstr("boot the machine again"));
    const auto next = token_of(1);
    EXPECT_EQ(next.size(), 64U);
    EXPECT_NE(next, token);
    EXPECT_EQ(report({{"stage", "kernel-up"}}, next).code, 204U);
    // Only a new kernel has that one: the machine has booted again, though its DISCOVER went unseen.
    EXPECT_EQ(fields_of(machine.id)["status"], "DEPLOYING");
    EXPECT_EQ(timeline(machine.id).size(), 3U);
}

TEST_F(AgentReport, WrongTokensAreRefusedBeforeTheBodyIsLookedAt) {
    booting_machine(1);
    for (const std::string authorization :
         {"", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "Bearer 00", "token"}) {
        const auto answer = ask(http::Method::post, "/agent/report", "{broken", authorization);
        EXPECT_EQ(answer.code, 401U) << authorization;
        EXPECT_FALSE(answer.headers.get("WWW-Authenticate").empty());
        EXPECT_EQ(answer.json()["status"], 401);
    }
    EXPECT_EQ(ask(http::Method::post, "/agent/report", kHome.dump(), "Bearer " + std::string(64, '0')).code,
              401U);
    EXPECT_EQ(ask(http::Method::get, "/agent/report").code, 405U);
}

TEST_F(AgentReport, BadBodiesAreRefusedAndNamed) {
    const auto machine = booting_machine(1);
    const auto token = token_of(1);
    const auto with = [](const char* pointer, const nlohmann::json& value) {
        auto body = kHome;
        body[nlohmann::json::json_pointer(pointer)] = value;
        return body;
    };
    const std::string_view cases[] = {
        "/stage",
        "/uptime_seconds",
        "/kernel",
        "/hostname",
        "/cpu",
        "/cpu/cores",
        "/memory_bytes",
        "/disks",
        "/disks/0",
        "/disks/0/size_bytes",
        "/disks/0/rotational",
        "/interfaces/0/mac",
        "/firmware/serial",
        "/boot_mode",
    };
    for (const auto pointer : cases) {
        const bool is_text = pointer.ends_with("kernel") || pointer.ends_with("hostname") ||
                             pointer.ends_with("mac") || pointer.ends_with("serial") ||
                             pointer.ends_with("boot_mode");
        for (const nlohmann::json& wrong :
             {nlohmann::json(is_text ? nlohmann::json(7) : nlohmann::json("word")),
              nlohmann::json(is_text ? nlohmann::json(std::string(257, 'x')) : nlohmann::json(true))}) {
            if (pointer == "/disks/0/rotational" && wrong.is_boolean()) continue;
            const auto answer = report(with(std::string(pointer).c_str(), wrong), token);
            ASSERT_EQ(answer.code, 400U) << pointer << " = " << wrong;
            EXPECT_EQ(answer.json()["errors"][0]["pointer"], pointer) << answer.text;
        }
    }
    EXPECT_EQ(report(with("/uptime_seconds", -1), token).code, 400U);
    EXPECT_EQ(report(with("/memory_bytes", -1), token).code, 400U);
    auto without_stage = kHome;
    without_stage.erase("stage");
    EXPECT_EQ(report(without_stage, token).json()["errors"][0]["pointer"], "/stage");
    for (const std::string body :
         {"", "{", "[]", "7", "{\"stage\":\"home\",\"stage\":\"home\"}", "{\"a\":\"\xff\"}"})
        EXPECT_EQ(ask(http::Method::post, "/agent/report", body, "Bearer " + token).code, 400U) << body;
    const auto large = "{\"stage\":\"home\",\"kernel\":\"" + std::string(300'000, 'x') + "\"}";
    EXPECT_EQ(ask(http::Method::post, "/agent/report", large, "Bearer " + token).code, 413U);
    auto disks = kHome;
    disks["disks"] = nlohmann::json::array();
    for (int i = 0; i < 1025; ++i) disks["disks"].push_back(nlohmann::json::object());
    EXPECT_EQ(report(disks, token).code, 400U);
    // None of these spent the token or was kept.
    EXPECT_FALSE(fields_of(machine.id).contains("hardware"));
    EXPECT_EQ(timeline(machine.id).size(), 0U);
    EXPECT_EQ(report(kHome, token).code, 204U);
}

TEST_F(AgentReport, ANewerAgentAndOddFirmwareAreUnderstood) {
    const auto machine = booting_machine(1);
    auto body = kHome;
    body["tpm"] = {{"version", 2}};
    body["cpu"]["flags"] = {"avx"};
    body["disks"][0]["wwn"] = "0x5";
    body["firmware"]["vendor"] = "Ac\x01me\x7f\n";
    EXPECT_EQ(report(body, token_of(1)).code, 204U);
    const auto hardware = fields_of(machine.id)["hardware"];
    EXPECT_FALSE(hardware.contains("tpm"));
    EXPECT_FALSE(hardware["cpu"].contains("flags"));
    EXPECT_EQ(hardware["firmware"]["vendor"], "Ac me  ");
}

TEST_F(AgentReport, TheBareMinimumWillDo) {
    const auto machine = booting_machine(1);
    EXPECT_EQ(report({{"stage", "home"}}, token_of(1)).code, 204U);
    EXPECT_EQ(timeline(machine.id)[0]["text"], "agent home (kernel)");
    EXPECT_EQ(fields_of(machine.id)["status"], "ACTIVE");
}

TEST_F(AgentReport, ADeletedMachinesTokenIsNobodys) {
    const auto machine = booting_machine(1);
    const auto token = token_of(1);
    ASSERT_TRUE(drop_machine(machine.id));
    EXPECT_EQ(report(kHome, token).code, 401U);
}

}  // namespace
}  // namespace rouse::ims
