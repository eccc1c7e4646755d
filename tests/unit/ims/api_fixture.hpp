#pragma once
// The REST services on a router, without sockets: requests go in, responses come out.

#include "mgmt/events/consumer.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/users.hpp"
#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse::ims {

using http::Method;
using nlohmann::json;

struct Answer {
    unsigned code = 0;
    http::Headers headers;
    std::string text;

    [[nodiscard]] json body() const { return json::parse(text); }
    // The pointer of the first wrong field.
    [[nodiscard]] std::string wrong_field() const {
        const json errors = body().value("errors", json::array());
        return errors.empty() ? "" : errors[0].at("pointer").get<std::string>();
    }
    [[nodiscard]] std::string detail() const { return body().at("detail"); }
};

class ApiTest : public store::StoreTest {
  protected:
    ApiTest() {
        std::filesystem::create_directories(run_dir_);
        consumer_ = events::Consumer::create(*writer_, appliance_, run_dir_).value();
        services_.emplace(Services{*writer_, catalogue_, appliance_, *consumer_, auth_, disk_, "rack0", roster_,
                                   [this](const IpAddress& peer) -> std::optional<MacAddress> {
                                       const auto known = neighbours_.find(peer);
                                       if (known == neighbours_.end()) return std::nullopt;
                                       return known->second;
                                   }});
        add_api(api_, *services_);
        api_.authenticate_with([this](const http::Request&) -> http::OrProblem<http::Principal> {
            return http::Principal{"tester", role_};
        });
        audit_.watch(api_);
        transfers_.emplace(*consumer_);
        add_boot_files(rack_, *services_, *transfers_);
    }
    ~ApiTest() override {
        disk_.join();
        consumer_.reset();
        std::filesystem::remove_all(run_dir_);
    }

    Answer send(http::Router& router, http::Request& request, http::BodyText body) {
        request.set_body(body);
        const auto response = http::run_to_end(router.dispatch(request));
        Answer answer{http::code(response.status), response.headers, {}};
        if (const auto* text = std::get_if<std::string>(&response.body)) answer.text = *text;
        if (const auto* range = std::get_if<http::FileRange>(&response.body)) {
            answer.text.resize(range->length);
            EXPECT_EQ(::pread(range->file->descriptor(), answer.text.data(), range->length,
                              static_cast<off_t>(range->offset)),
                      static_cast<ssize_t>(range->length));
        }
        return answer;
    }
    static http::Request request(Method method, const std::string& target) {
        http::Request made;
        made.method = method;
        const auto question = target.find('?');
        made.path = target.substr(0, question);
        if (question != std::string::npos)
            made.query = http::Query::parse(target.substr(question + 1)).value();
        made.peer = *Ipv4Address::parse("10.77.9.9");
        made.id = "request-1";
        return made;
    }
    Answer call(Method method, const std::string& target, const std::string& body = {},
                const http::Headers& headers = {}) {
        auto made = request(method, target);
        made.headers = headers;
        made.headers.add("Content-Type", "application/json");
        return send(api_, made, http::BodyText(body, 4096));
    }
    Answer get(const std::string& target) { return call(Method::get, target); }
    Answer post(const std::string& target, const json& body) {
        return call(Method::post, target, body.dump());
    }
    Answer put(const std::string& target, const json& body) { return call(Method::put, target, body.dump()); }
    Answer patch(const std::string& target, const json& body) {
        return call(Method::patch, target, body.dump());
    }
    Answer remove(const std::string& target) { return call(Method::delete_, target); }
    // What a POST made, which must succeed.
    json make(const std::string& target, const json& body) {
        const auto answer = post(target, body);
        EXPECT_EQ(answer.code, 201U) << answer.text;
        return answer.code == 201 ? answer.body() : json();
    }
    static std::string path(const std::string& base, const json& object) {
        return base + object.at("id").get<std::string>() + "/";
    }

    std::optional<store::HostRecord> host(const std::string& mac) {
        return *store_->snapshot()->record<store::HostRecord>(store_->tables().hosts,
                                                              store::bytes_of(*MacAddress::parse(mac)));
    }

    std::string run_dir_ = "/dev/shm/rouse-ims-test-" + std::to_string(::getpid());
    boot::Catalogue catalogue_ =
        boot::Catalogue::open(directory_.path() + "/images/sha256", *writer_).value();
    boot::Appliance appliance_{*Ipv4Address::parse("10.77.0.1")};
    std::unique_ptr<events::Consumer> consumer_;
    Users users_{*store_};
    http::Auth auth_ = http::Auth::open({.key_directory = directory_.path() + "/keys"}, users_).value();
    boost::asio::thread_pool disk_{1};
    workers::Roster roster_{86'400};
    std::optional<Services> services_;
    std::optional<HttpTransfers> transfers_;
    std::map<IpAddress, MacAddress> neighbours_;  // on the rack's link
    AuditTrail audit_{*writer_};
    http::Role role_ = http::Role::administrator;
    http::Router api_;
    http::Router rack_;
};

}  // namespace rouse::ims
