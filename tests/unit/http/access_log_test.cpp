#include "mgmt/http/access_log.hpp"

#include "shared/clock.hpp"
#include "shared/logging.hpp"

#include <memory>
#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace rouse::http {
namespace {

class AccessLog : public ::testing::Test {
  protected:
    void SetUp() override {
        before_ = spdlog::default_logger();
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out_)));
        log_as_json("rouse-test");
        request_.method = Method::get;
        request_.path = "/api/machines/";
        request_.id = "abc-1";
        request_.principal = Principal{};
        request_.principal->user = "eve";
    }
    void TearDown() override {
        spdlog::set_default_logger(before_);
        log_requests_at("debug");
    }

    Request request_;
    std::ostringstream out_;
    std::shared_ptr<spdlog::logger> before_;
};

TEST_F(AccessLog, OneLineAtTheLevelThatIsConfigured) {
    log_request(request_, Status::ok, {1234, true}, kNanosPerMilli);
    EXPECT_EQ(out_.str(), "");  // debug is below info
    log_requests_at("info");
    request_.headers.add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    log_request(request_, Status::not_found, {1234, false}, kNanosPerMilli);
    const auto line = nlohmann::json::parse(out_.str());
    EXPECT_EQ(line["request_id"], "abc-1");
    EXPECT_EQ(line["method"], "GET");
    EXPECT_EQ(line["path"], "/api/machines/");
    EXPECT_EQ(line["status"], 404);
    EXPECT_EQ(line["bytes"], 1234);
    EXPECT_EQ(line["complete"], false);
    EXPECT_EQ(line["duration_ms"], 1.0);
    EXPECT_EQ(line["user"], "eve");
    EXPECT_EQ(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_FALSE(line.contains("route"));
}

TEST_F(AccessLog, OnlyAWellFormedTraceIsTaken) {
    for (const char* wrong : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                              "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                              "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                              "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
        Request request;
        request.headers.add("traceparent", wrong);
        EXPECT_EQ(trace_id(request), "") << wrong;
    }
}

}  // namespace
}  // namespace rouse::http
