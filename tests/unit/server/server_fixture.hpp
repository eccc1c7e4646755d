#pragma once
// The whole management plane on a store of its own, asked through its API's router: every route that it has.

#include "mgmt/server.hpp"
#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse::mgmt {

using http::Method;
using nlohmann::json;

struct Answer {
    unsigned code = 0;
    http::Headers headers;
    std::string text;
    [[nodiscard]] json body() const { return json::parse(text); }
};

// A path of a route's pattern, with something in the place of every parameter that exists nowhere.
inline std::string path_of(const std::string& pattern) {
    if (pattern == "/api/events/") return pattern + "?kind=nothing";  // asked properly it never ends
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '{') {
            out += pattern[i];
            continue;
        }
        i = pattern.find('}', i);
        out += "0192f0c0-0000-7000-8000-000000000000";
    }
    return out;
}

class ServerTest : public testing::Test {
  protected:
    ServerTest() {
        Config config;
        config.store.state_dir = directory_.path();
        config.store.run_dir = run_dir_;
        config.store.map_size_gib = 1;
        config.api.listen = "127.0.0.1:0";
        auto opened = Server::open(config);
        if (!opened) throw std::runtime_error(opened.error().message);
        server_ = std::move(*opened);
        std::ifstream(directory_ / "admin-password") >> admin_password_;
        admin_ = login("admin", admin_password_);
    }
    ~ServerTest() override {
        server_.reset();
        std::filesystem::remove_all(run_dir_);
    }

    Answer ask(Method method, const std::string& path, const std::string& authorization = "",
               const std::string& body = "", const std::string& type = "application/json") {
        http::BodyText text(body, 4096);
        http::Request request;
        request.method = method;
        const auto question = path.find('?');
        request.path = path.substr(0, question);
        if (question != std::string::npos)
            request.query = http::Query::parse(path.substr(question + 1)).value();
        request.id = "test";
        request.peer = *Ipv4Address::parse("127.0.0.1");
        request.headers.add("Host", "rouse.example");
        if (!body.empty()) request.headers.add("Content-Type", type);
        if (!authorization.empty()) request.headers.add("Authorization", authorization);
        request.set_body(text);
        const auto response = http::run_to_end(server_->api().dispatch(request));
        Answer answer{http::code(response.status), response.headers, {}};
        if (const auto* whole = std::get_if<std::string>(&response.body)) answer.text = *whole;
        return answer;
    }
    Answer post(const std::string& path, const json& body, const std::string& authorization) {
        return ask(Method::post, path, authorization, body.dump());
    }
    // "Bearer …"
    std::string login(const std::string& user, const std::string& password) {
        const auto answer = post("/api/token/", {{"username", user}, {"password", password}}, "");
        EXPECT_EQ(answer.code, 200U) << answer.text;
        return "Bearer " + answer.body().value("access", "");
    }

    http::TemporaryDirectory directory_;
    std::string run_dir_ = "/dev/shm/rouse-server-test-" + std::to_string(::getpid());
    std::unique_ptr<Server> server_;
    std::string admin_password_;
    std::string admin_;
};

}  // namespace rouse::mgmt
