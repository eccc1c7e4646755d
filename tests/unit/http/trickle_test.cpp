// Clients that send a byte now and then, to keep a connection as long as they can.

#include "mgmt/http/listener.hpp"
#include "mgmt/http/schema.hpp"
#include "tests/unit/http/client.hpp"
#include "tests/unit/http/server.hpp"

#include <array>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using namespace std::chrono_literals;

const Schema kThing("Thing", "A thing", {string("name", "its name").required().length(1, 1000)});

asio::awaitable<Outcome> read_all(Request& request) {
    std::array<std::byte, 256> chunk;
    for (;;) {
        const auto n = co_await request.read_some(chunk);
        if (!n) co_return tl::unexpected(n.error());
        if (*n == 0) co_return Response::no_content();
    }
}

Router routes() {
    Router router;
    router.authenticate_with([](const Request&) -> OrProblem<Principal> {
        return Principal{"bob", Role::viewer};
    });
    router.add({.pattern = "/hello", .access = Access::anyone()},
               [](Request&) -> Outcome { return Response::no_content(); });
    router.add({.method = Method::post,
                .pattern = "/things",
                .access = Access::anyone(),
                .body = BodyKind::json,
                .request = &kThing},
               [](Request&) -> Outcome { return Response::no_content(); });
    router.add({.method = Method::post,
                .pattern = "/stream-of-anyone",
                .access = Access::anyone(),
                .body = BodyKind::stream},
               Handler(read_all));
    router.add({.method = Method::post, .pattern = "/stream", .body = BodyKind::stream}, Handler(read_all));
    return router;
}

class TrickleTest : public testing::Test {
  protected:
    // What comes of a body that takes 1.5 s, a byte each 50 ms, and may take 300 ms.
    int status_of_slow_body(const std::string& path) {
        ListenerOptions options;
        options.stall_timeout = 10s;
        options.body_timeout = 300ms;
        options.header_timeout = 1s;  // the clock ticks by the shortest
        Server server(router_, options);
        Client client(server.port());
        client.send("POST " + path + " HTTP/1.1\r\nHost: t\r\nContent-Length: 30\r\n\r\n");
        for (int i = 0; i < 30; ++i) {
            client.send("x");
            std::this_thread::sleep_for(50ms);
        }
        return client.receive().status;
    }

    Router router_ = routes();
};

TEST_F(TrickleTest, AHeaderThatTricklesInIsNotWaitedFor) {
    ListenerOptions options;
    options.header_timeout = 300ms;
    Server server(router_, options);
    Client client(server.port());
    const auto start = std::chrono::steady_clock::now();
    client.send("GET /hello HTTP/1.1\r\nX: ");
    while (std::chrono::steady_clock::now() - start < 3s && client.send("x"))
        std::this_thread::sleep_for(50ms);
    EXPECT_EQ(client.receive().status, 408);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST_F(TrickleTest, ABodyThatTricklesInIsNotWaitedFor) {
    EXPECT_EQ(status_of_slow_body("/things"), 408);
}

TEST_F(TrickleTest, AStreamMayTakeItsTimeOfWhoIsKnown) {
    EXPECT_EQ(status_of_slow_body("/stream"), 204);
    EXPECT_EQ(status_of_slow_body("/stream-of-anyone"), 408);
}

}  // namespace
}  // namespace rouse::http
