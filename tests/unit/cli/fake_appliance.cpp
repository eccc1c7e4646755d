#include "tests/unit/cli/fake_appliance.hpp"

#include "mgmt/http/schema.hpp"

#include <array>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/sha.h>

namespace rouse::cli {
namespace {

using http::Access;
using http::BodyKind;
using http::Method;
using http::Outcome;
using http::Request;
using http::Response;
using http::Status;
using nlohmann::json;

const http::Schema kCredentials("Credentials", "",
                                {http::string("username", ""), http::string("password", "")});
const http::Schema kRefresh("Refresh", "", {http::string("refresh", "")});
const http::Schema kMachine("Machine", "",
                            {http::string("hostname", "").required(), http::mac("mac", "").required(),
                             http::ipv4("ip", ""), http::uuid("cluster", ""),
                             http::string("boot_profile", ""),
                             http::choice("role", "", {"MASTER", "WORKER"})});
const http::Schema kAnything("Anything", "",
                             {http::string("name", ""), http::string("description", ""),
                              http::string("boot_profile", ""), http::prefix("cidr", ""),
                              http::ipv4("gateway", ""), http::ipv4("range_start", ""),
                              http::ipv4("range_end", ""), http::array(http::ipv4("dns_servers", "")),
                              http::string("unknown_machines", ""), http::integer("lease_seconds", ""),
                              http::uuid("cluster", ""), http::string("kernel", ""),
                              http::array(http::string("initrds", "")), http::string("cmdline", ""),
                              http::map("loaders", "", {}, http::string("", ""))});

std::string sha256_hex(const std::string& text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string out;
    for (const auto byte : digest) {
        char hex[3];
        std::snprintf(hex, sizeof hex, "%02x", byte);
        out += hex;
    }
    return out;
}

}  // namespace

FakeAppliance::FakeAppliance() {
    router_.authenticate_with([this](const Request& request) -> http::OrProblem<http::Principal> {
        if (request.headers.get("Authorization") != "Bearer " + good_token)
            return http::problem(Status::unauthorized, "the token has expired");
        return http::Principal{"admin", http::Role::administrator};
    });
    add_tokens();
    add_lists();
    add_images();
    add_timeline();
    server_.emplace(router_);
    port_ = server_->port();
}

std::string FakeAppliance::url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
}

void FakeAppliance::add_tokens() {
    router_.add(
        {.method = Method::post,
         .pattern = "/api/token/",
         .access = Access::anyone(),
         .body = BodyKind::json,
         .request = &kCredentials},
        [this](Request& request) -> Outcome {
            if (request.json().value("password", "") != kPassword)
                return http::problem(Status::unauthorized, "the user name or the password is wrong");
            return Response::json({{"access", good_token}, {"refresh", "refresh-1"}, {"expires_in", 900}});
        });
    router_.add({.method = Method::post,
                 .pattern = "/api/token/refresh/",
                 .access = Access::anyone(),
                 .body = BodyKind::json,
                 .request = &kRefresh},
                [this](Request& request) -> Outcome {
                    ++refreshes;
                    if (!refresh_works || request.json().value("refresh", "") != "refresh-1")
                        return http::problem(Status::unauthorized, "the token has expired");
                    return Response::json({{"access", good_token}, {"expires_in", 900}});
                });
}

Outcome FakeAppliance::list(const json& objects, const Request& request) {
    const std::lock_guard lock(mutex_);
    asked.push_back(request.query.raw());
    json out = json::array();
    bool seen = !request.query.find("after");
    for (const auto& object : objects) {
        bool matches = seen;
        for (const auto& [name, value] : request.query.pairs())
            if (name != "limit" && name != "sort" && name != "after")
                matches = matches && object.value(name, "") == value;
        if (matches) out.push_back(object);
        seen = seen || request.query.find("after") == object["id"].get<std::string>();
    }
    if (out.size() <= page_size) return Response::json(out);
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(page_size), out.end());
    auto response = Response::json(out);
    response.headers.add(
        "Link", "<" + request.path + "?after=" + out.back()["id"].get<std::string>() + ">; rel=\"next\"");
    return response;
}

void FakeAppliance::add_lists() {
    router_.add({.pattern = "/api/machines/"}, [this](Request& request) { return list(machines, request); });
    router_.add({.pattern = "/api/machines/{id}"}, [this](Request& request) -> Outcome {
        for (const auto& machine : machines)
            if (machine["id"] == request.parameter("id")) return Response::json(machine);
        return http::problem(Status::not_found, "there is no machine " + request.parameter("id"));
    });
    router_.add({.pattern = "/api/cluster/"}, [this](Request& request) { return list(clusters, request); });
    router_.add({.pattern = "/api/ip-pools/"},
                [](Request&) -> Outcome { return Response::json(json::array()); });
    const auto make = [this](Request& request) -> Outcome {
        last_body = request.json();
        json made = last_body;
        made["id"] = "new-id";
        return Response::created(request.path + "new-id", made);
    };
    router_.add(
        {.method = Method::post, .pattern = "/api/machines/", .body = BodyKind::json, .request = &kMachine},
        make);
    router_.add({.method = Method::patch,
                 .pattern = "/api/machines/{id}/",
                 .body = BodyKind::patch,
                 .request = &kMachine},
                [this](Request& request) -> Outcome {
                    last_body = request.json();
                    json changed = last_body;
                    changed["hostname"] = "node-1";
                    return Response::json(changed);
                });
    for (const char* path : {"/api/cluster/", "/api/ip-pools/", "/api/boot-profiles/"})
        router_.add({.method = Method::post, .pattern = path, .body = BodyKind::json, .request = &kAnything},
                    make);
    for (const char* path : {"/api/machines/{name...}", "/api/images/{name...}"})
        router_.add({.method = Method::delete_, .pattern = path}, [this](Request& request) -> Outcome {
            deleted.push_back(request.path);
            return Response::no_content();
        });
}

void FakeAppliance::add_images() {
    router_.add({.pattern = "/api/backup/"}, [this](Request&) -> Outcome {
        Response response;
        response.body = backup;
        return response;
    });
    router_.add({.pattern = "/api/images/"}, [this](Request&) -> Outcome {
        return Response::json(
            {{{"name", last_image}, {"size", last_content.size()}, {"sha256", sha256_hex(last_content)}}});
    });
    router_.add({.method = Method::put, .pattern = "/api/images/{name...}", .body = BodyKind::stream},
                http::Handler([this](Request& request) { return upload(request); }));
    router_.add({.method = Method::post, .pattern = "/api/image-imports/", .body = BodyKind::stream},
                http::Handler([this](Request& request) { return import(request); }));
    router_.add({.method = Method::post, .pattern = "/api/machines/import/", .body = BodyKind::stream},
                http::Handler([this](Request& request) { return import_machines(request); }));
    router_.add(
        {.method = Method::post, .pattern = "/api/image-checks/{name...}"},
        [this](Request& request) -> Outcome {
            const auto& name = request.parameter("name");
            return Response::json(
                {{"name", name}, {"state", name == damaged_image ? "damaged" : "good"}, {"sha256", "ab"}});
        });
    router_.add({.method = Method::post, .pattern = "/api/image-collections/"}, [](Request&) -> Outcome {
        return Response::json({{"removed", 2}});
    });
}

boost::asio::awaitable<http::OrProblem<std::string>> FakeAppliance::body_of(Request& request) {
    std::string content;
    std::array<std::byte, 65536> chunk;
    for (;;) {
        const auto n = co_await request.read_some(chunk);
        if (!n) co_return tl::unexpected(n.error());
        if (*n == 0) co_return content;
        content.append(reinterpret_cast<const char*>(chunk.data()), *n);
    }
}

boost::asio::awaitable<Outcome> FakeAppliance::import(Request& request) {
    auto content = co_await body_of(request);
    if (!content) co_return tl::unexpected(content.error());
    last_prefix = request.query.find("as").value_or("none");
    last_content = std::move(*content);
    co_return Response::json({{"files", 3},
                              {"bytes", 5'000'000},
                              {"skipped", {{{"path", "gone"}, {"reason", "is a link to nowhere"}}}}});
}

boost::asio::awaitable<Outcome> FakeAppliance::import_machines(Request& request) {
    auto content = co_await body_of(request);
    if (!content) co_return tl::unexpected(content.error());
    last_content = std::move(*content);
    last_type = request.headers.get("Content-Type");
    queries.push_back(request.query.raw());
    if (import_faults.empty())
        co_return Response::json({{"created", 2}, {"updated", 1}, {"unchanged", 0}, {"waiting", 1}});
    co_return tl::unexpected(http::Problem{http::Status::conflict, "some rows", import_faults, {}});
}

boost::asio::awaitable<Outcome> FakeAppliance::upload(Request& request) {
    auto received = co_await body_of(request);
    if (!received) co_return tl::unexpected(received.error());
    std::string content = std::move(*received);
    last_image = request.parameter("name");
    last_content = content;
    if (damages_uploads) content += "!";
    const json stored = {{"name", last_image}, {"size", content.size()}, {"sha256", sha256_hex(content)}};
    co_return Response::json(stored);
}

void FakeAppliance::happen(const std::string& event) {
    const std::lock_guard lock(mutex_);
    timeline_.push_back({{"sequence", timeline_.size() + 1},
                         {"time", "2026-01-01T00:00:00Z"},
                         {"event", event},
                         {"text", "it was " + event},
                         {"details", json::object()}});
}

void FakeAppliance::add_timeline() {
    router_.add({.pattern = "/api/machines/{id}/timeline/"},
                http::Handler([this](Request& request) -> boost::asio::awaitable<Outcome> {
                    constexpr std::size_t kPage = 3;
                    const auto after = request.query.integer("after", 0, 0, 1'000'000).value();
                    const auto wait = request.query.integer("wait", 0, 0, 60).value();
                    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
                    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(wait);
                    json page = json::array();
                    for (;;) {
                        {
                            const std::lock_guard lock(mutex_);
                            if (page.empty()) queries.push_back(request.query.raw());
                            for (std::size_t i = after; i < timeline_.size() && page.size() < kPage; ++i)
                                page.push_back(timeline_[i]);
                        }
                        if (!page.empty() || std::chrono::steady_clock::now() >= end) break;
                        timer.expires_after(std::chrono::milliseconds(10));
                        co_await timer.async_wait(boost::asio::use_awaitable);
                    }
                    co_return Response::json(page);
                }));
}

}  // namespace rouse::cli
