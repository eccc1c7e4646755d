#include "shared/logging.hpp"

#include <memory>
#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace rouse {
namespace {

using nlohmann::json;

class JsonLogs : public ::testing::Test {
  protected:
    void SetUp() override {
        before_ = spdlog::default_logger();
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out_)));
        log_as_json("rouse-test");
    }
    void TearDown() override { spdlog::set_default_logger(before_); }
    // The lines since the last call.
    std::vector<json> lines() {
        std::vector<json> found;
        std::istringstream in(out_.str());
        for (std::string line; std::getline(in, line);) found.push_back(json::parse(line));
        out_.str("");
        return found;
    }

    std::ostringstream out_;
    std::shared_ptr<spdlog::logger> before_;
};

TEST_F(JsonLogs, EachLineIsAnObject) {
    spdlog::warn("the disk is {} full", "nearly");
    spdlog::error("quotes \" and\nlines, \x01 and \xff bytes");
    const auto logged = lines();
    ASSERT_EQ(logged.size(), 2U);
    EXPECT_EQ(logged[0]["level"], "warning");
    EXPECT_EQ(logged[0]["process"], "rouse-test");
    EXPECT_EQ(logged[0]["message"], "the disk is nearly full");
    EXPECT_EQ(logged[0]["time"].get<std::string>().size(), 24U);
    EXPECT_EQ(logged[0]["time"].get<std::string>().back(), 'Z');
    EXPECT_EQ(logged[1]["message"], "quotes \" and\nlines, \x01 and \xef\xbf\xbd bytes");
}

TEST_F(JsonLogs, FieldsLastAsLongAsTheyLive) {
    {
        const LogFields outer(json{{"request_id", "7"}});
        {
            const LogFields inner(json{{"user", "eve\"}"}, {"bytes", 3}});
            spdlog::info("a");
        }
        spdlog::info("b");
    }
    const LogFields none(json::object());
    spdlog::info("c");
    const auto logged = lines();
    ASSERT_EQ(logged.size(), 3U);
    EXPECT_EQ(logged[0]["request_id"], "7");
    EXPECT_EQ(logged[0]["user"], "eve\"}");
    EXPECT_EQ(logged[0]["bytes"], 3);
    EXPECT_EQ(logged[1]["request_id"], "7");
    EXPECT_FALSE(logged[1].contains("user"));
    EXPECT_FALSE(logged[2].contains("request_id"));
}

}  // namespace
}  // namespace rouse
