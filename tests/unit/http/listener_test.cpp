// The listener and its connections, by real sockets: framing, limits, time-outs, shutdown.

#include "mgmt/http/listener.hpp"

#include "mgmt/http/schema.hpp"
#include "tests/unit/http/client.hpp"
#include "tests/unit/http/server.hpp"

#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Schema kThing("Thing", "A thing", {string("name", "its name").required().length(1, 100)});

Router listened() {
    Router router;
    const auto open = [](Method method, const char* pattern, BodyKind body = BodyKind::none) {
        Route route{.method = method, .pattern = pattern, .access = Access::anyone(), .body = body};
        if (body == BodyKind::json) route.request = &kThing;
        return route;
    };
    router.add(open(Method::get, "/hello"), [](Request& request) -> Outcome {
        return Response::text("hello " + std::string(request.query.find("name").value_or("world")));
    });
    router.add(open(Method::get, "/peer"),
               [](Request& request) -> Outcome { return Response::text(request.peer.to_string()); });
    router.add(open(Method::get, "/large"),
               [](Request&) -> Outcome { return Response::text(std::string(std::size_t{8} << 20, 'x')); });
    router.add(open(Method::post, "/things", BodyKind::json),
               [](Request& request) -> Outcome { return Response::json(request.json(), Status::created); });
    router.add(open(Method::delete_, "/things"), [](Request&) -> Outcome { return Response::no_content(); });
    router.add(open(Method::get, "/inject"), [](Request&) -> Outcome {
        auto response = Response::text("x");
        response.headers.add("X-Name", "a\r\nSet-Cookie: b");
        return response;
    });
    router.add(open(Method::get, "/slow"), Handler([](Request&) -> asio::awaitable<Outcome> {
                   asio::steady_timer timer(co_await asio::this_coro::executor, 300ms);
                   co_await timer.async_wait(asio::use_awaitable);
                   co_return Response::text("at last");
               }));
    router.add(open(Method::get, "/forever"), Handler([](Request&) -> asio::awaitable<Outcome> {
                   asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
                   co_await timer.async_wait(asio::use_awaitable);
                   co_return Response::text("never");
               }));
    router.limit_json_body(1000);
    return router;
}

class ListenerTest : public testing::Test {
  protected:
    // True as soon as COUNT connections are open.
    static bool has_connections(Server& server, std::size_t count) {
        for (int i = 0; i < 500 && server.listener().connections() != count; ++i)
            std::this_thread::sleep_for(10ms);
        return server.listener().connections() == count;
    }
    Router router_ = listened();
};

TEST_F(ListenerTest, AnswersAndKeepsTheConnection) {
    Server server(router_);
    Client client(server.port());
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.get("/hello?name=a%20b", "X-Request-Id: my-id.7\r\n");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "hello a b");
        EXPECT_TRUE(answer.has("x-request-id: my-id.7\r\n"));
        EXPECT_TRUE(answer.has("gmt\r\n"));
        EXPECT_FALSE(answer.has("connection:"));
    }
    EXPECT_EQ(client.get("/peer").body, "127.0.0.1");
    EXPECT_EQ(server.listener().connections(), 1U);
}

TEST_F(ListenerTest, StrangeRequestIdsAreReplaced) {
    Server server(router_);
    Client client(server.port());
    EXPECT_FALSE(client.get("/hello", "X-Request-Id: a b\r\n").has("a b"));
    EXPECT_FALSE(client.get("/hello", "X-Request-Id: " + std::string(65, 'a') + "\r\n").has("aaaa"));
}

TEST_F(ListenerTest, PipelinedRequestsAreAnsweredInOrder) {
    Server server(router_);
    Client client(server.port());
    std::string all;
    for (int i = 0; i < 50; ++i) {
        all += "GET " + std::string(i % 10 == 0 ? "/slow" : "/hello") + "?name=" + std::to_string(i) +
               " HTTP/1.1\r\nHost: t\r\n\r\n";
        all += "POST /things HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\n{\"name\":\"" +
               std::string(1, static_cast<char>('a' + i % 26)) + "\"}";
    }
    ASSERT_TRUE(client.send(all));
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(client.receive().body, i % 10 == 0 ? "at last" : "hello " + std::to_string(i));
        EXPECT_EQ(client.receive().body,
                  "{\"name\":\"" + std::string(1, static_cast<char>('a' + i % 26)) + "\"}");
    }
}

TEST_F(ListenerTest, RequestsMayComeByteByByte) {
    Server server(router_);
    Client client(server.port());
    const std::string request =
        "POST /things HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\n{\"nam\r\n7;x=y\r\ne\":\"z\"}\r\n0\r\nTrailer: x\r\n\r\n";
    for (int round = 0; round < 2; ++round) {
        for (const char c : request) ASSERT_TRUE(client.send({&c, 1}));
        const auto answer = client.receive();
        EXPECT_EQ(answer.status, 201);
        EXPECT_EQ(answer.body, R"({"name":"z"})");
    }
}

TEST_F(ListenerTest, HeadHasTheLengthAndNoBody) {
    Server server(router_);
    Client client(server.port());
    client.send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\n");
    const auto answer = client.receive(true);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.has("content-length: 11\r\n"));
    EXPECT_EQ(client.get("/hello").body, "hello world");
}

TEST_F(ListenerTest, NoContentHasNoLength) {
    Server server(router_);
    Client client(server.port());
    client.send("DELETE /things HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}");
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 204);
    EXPECT_FALSE(answer.has("content-length"));
    EXPECT_EQ(client.get("/hello").status, 200) << "the unread body must not be taken for a request";
}

TEST_F(ListenerTest, SpeaksHttp10) {
    Server server(router_);
    Client once(server.port());
    once.send("GET /hello HTTP/1.0\r\n\r\n");
    const auto answer = once.receive();
    EXPECT_EQ(answer.body, "hello world");
    EXPECT_TRUE(answer.has("connection: close\r\n"));
    EXPECT_TRUE(once.is_closed());
    Client kept(server.port());
    kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(kept.receive().has("connection: keep-alive\r\n"));
    kept.send("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(kept.receive().status, 200);
}

TEST_F(ListenerTest, ClosesWhenAsked) {
    Server server(router_);
    Client client(server.port());
    EXPECT_TRUE(client.get("/hello", "Connection: close\r\n").has("connection: close\r\n"));
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ListenerTest, AbsoluteTargetsAndAsterisk) {
    Server server(router_);
    Client client(server.port());
    EXPECT_EQ(client.get("http://test/hello?name=x").body, "hello x");
    client.send("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.receive().status, 204);
}

TEST_F(ListenerTest, AHandlersHeaderCannotStartAnother) {
    Server server(router_);
    Client client(server.port());
    EXPECT_FALSE(client.get("/inject").has("\r\nset-cookie"));
}

struct BadRequest {
    const char* bytes;
    int status;
};

TEST_F(ListenerTest, MalformedRequestsGetTheirStatusAndTheClose) {
    Server server(router_);
    const std::string huge = "GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(20000, 'x') + "\r\n\r\n";
    const std::string long_target = "GET /" + std::string(20000, 'x');
    const auto requests = std::to_array<BadRequest>({
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
        {"GET\r\n\r\n", 400},
        {"GET /hello HTTP/2.0\r\n\r\n", 505},
        {"GET /hello HTTP/1.1\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET hello HTTP/1.1\r\nHost: t\r\n\r\n", 400},
        {"GET /hello?a=%zz HTTP/1.1\r\nHost: t\r\n\r\n", 400},
        {"BREW /hello HTTP/1.1\r\nHost: t\r\n\r\n", 501},
        {"GET /hello HTTP/1.1\r\nHost: t\r\nbad header\r\n\r\n", 400},
        {"POST /things HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400},
        {"POST /things HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n{}", 400},
        {"POST /things HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
         400},
        {"POST /things HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n{}", 501},
        {"POST /things HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        {huge.c_str(), 431},
        {long_target.c_str(), 414},
    });
    for (const auto& [bytes, status] : requests) {
        Client client(server.port());
        client.send(bytes);
        const auto answer = client.receive();
        EXPECT_EQ(answer.status, status) << std::string(bytes).substr(0, 80);
        EXPECT_TRUE(answer.has("application/problem+json"));
        EXPECT_TRUE(answer.has("connection: close"));
        client.shut_down_sending();
        EXPECT_TRUE(client.is_closed());
    }
}

TEST_F(ListenerTest, BodiesOverTheLimitAreRefusedBeforeTheyAreSent) {
    Server server(router_);
    Client client(server.port());
    client.send("POST /things HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(client.receive().status, 413);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ListenerTest, ARefusedBodyDoesNotCostTheAnswer) {
    Server server(router_);
    Client client(server.port());
    client.send("POST /things HTTP/1.1\r\nHost: t\r\nContent-Length: 20000000\r\n\r\n");
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.send(std::string(1'000'000, 'x')));
    EXPECT_EQ(client.receive().status, 413);
}

TEST_F(ListenerTest, EndlessChunkHeadersAndTrailersAreRefused) {
    Server server(router_);
    for (const char* start : {"2;", "0\r\nX: "}) {
        Client client(server.port());
        client.send("POST /things HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    std::string(start));
        client.send(std::string(100'000, 'x'));
        EXPECT_EQ(client.receive().status, 431) << start;
    }
}

TEST_F(ListenerTest, ExpectContinueIsHonoured) {
    Server server(router_);
    Client client(server.port());
    client.send("POST /things HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n");
    EXPECT_EQ(client.receive().status, 100);
    client.send(R"({"name":"a"})");
    EXPECT_EQ(client.receive().status, 201);
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST_F(ListenerTest, SlowHeadersAndIdleConnectionsEnd) {
    ListenerOptions options;
    options.header_timeout = 200ms;
    options.idle_timeout = 400ms;
    Server server(router_, options);
    Client slow(server.port());
    slow.send("GET /hello HTTP/1.1\r\nHo");
    Client idle(server.port());
    EXPECT_EQ(idle.get("/hello").status, 200);
    Client silent(server.port());
    const auto start = std::chrono::steady_clock::now();
    const auto answer = slow.receive();
    EXPECT_EQ(answer.status, 408);
    EXPECT_TRUE(answer.has("connection: close"));
    EXPECT_TRUE(slow.is_closed());
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(silent.is_closed());
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    EXPECT_TRUE(has_connections(server, 0));
}

TEST_F(ListenerTest, AHandlerMayTakeLongerThanTheTimeOuts) {
    ListenerOptions options;
    options.header_timeout = options.idle_timeout = options.stall_timeout = 100ms;
    Server server(router_, options);
    Client client(server.port());
    EXPECT_EQ(client.get("/slow").body, "at last");
}

TEST_F(ListenerTest, AStalledBodyIsNotWaitedFor) {
    ListenerOptions options;
    options.stall_timeout = 200ms;
    Server server(router_, options);
    Client client(server.port());
    client.send("POST /things HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\n\r\n{\"na");
    EXPECT_EQ(client.receive().status, 408);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ListenerTest, AClientThatDoesNotReadIsCut) {
    ListenerOptions options;
    options.stall_timeout = 200ms;
    Server server(router_, options);
    Client client(server.port());
    for (int i = 0; i < 4; ++i) client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(has_connections(server, 1));
    EXPECT_TRUE(has_connections(server, 0));
}

TEST_F(ListenerTest, MoreConnectionsThanAllowedAre503) {
    ListenerOptions options;
    options.max_connections = 2;
    Server server(router_, options);
    Client one(server.port());
    Client two(server.port());
    EXPECT_EQ(one.get("/hello").status, 200);
    EXPECT_EQ(two.get("/hello").status, 200);
    {
        Client three(server.port());
        EXPECT_EQ(three.receive().status, 503);
        EXPECT_TRUE(three.is_closed());
    }
    EXPECT_EQ(one.get("/hello").status, 200);
}

TEST_F(ListenerTest, StoppingLetsRequestsFinish) {
    Server server(router_);
    Client idle(server.port());
    EXPECT_EQ(idle.get("/hello").status, 200);
    Client busy(server.port());
    busy.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
    std::this_thread::sleep_for(100ms);
    server.listener().stop(5s);
    EXPECT_TRUE(idle.is_closed());
    const auto answer = busy.receive();
    EXPECT_EQ(answer.body, "at last");
    EXPECT_TRUE(answer.has("connection: close"));
    EXPECT_TRUE(busy.is_closed());
    EXPECT_THROW(Client(server.port()), std::runtime_error);
    server.stop(5s);
}

TEST_F(ListenerTest, StoppingCutsWhatOutlastsTheGrace) {
    Server server(router_);
    Client client(server.port());
    client.send("GET /forever HTTP/1.1\r\nHost: t\r\n\r\n");
    std::this_thread::sleep_for(50ms);
    const auto start = std::chrono::steady_clock::now();
    server.stop(200ms);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_EQ(client.receive().status, 0);
}

TEST_F(ListenerTest, ManyClientsAtOnce) {
    Server server(router_);
    std::atomic<int> good = 0;
    std::vector<std::thread> clients;
    for (int t = 0; t < 8; ++t)
        clients.emplace_back([&, t] {
            for (int c = 0; c < 5; ++c) {
                Client client(server.port());
                for (int i = 0; i < 20; ++i) {
                    const auto name = std::to_string(t * 1000 + i);
                    if (client.get("/hello?name=" + name).body == "hello " + name) ++good;
                }
                if (c % 2 == 0) client.reset();
            }
        });
    for (auto& client : clients) client.join();
    EXPECT_EQ(good, 8 * 5 * 20);
}

TEST(ListenerOpen, SaysWhatToChange) {
    const Router router;
    asio::io_context io;
    const auto why = [&](ListenerOptions options) {
        options.name = "api";
        const auto listener = Listener::open(io, std::move(options), router);
        return listener ? "opened" : listener.error().message;
    };
    EXPECT_THAT(why({.listen = "0.0.0.0:0"}), HasSubstr("api.tls_certificate"));
    EXPECT_THAT(why({.listen = "192.0.2.1:80"}), HasSubstr("plain HTTP is for loopback only"));
    EXPECT_THAT(why({.listen = "[::]:0"}), HasSubstr("plain HTTP is for loopback only"));
    EXPECT_EQ(why({.listen = "0.0.0.0:0", .plain_anywhere = true}), "opened");
    EXPECT_EQ(why({.listen = "127.0.0.7:0"}), "opened");
    for (const char* listen : {"", "127.0.0.1", ":80", "localhost:80", "127.0.0.1:99999",
                               "127.0.0.1:", "::1:80", "[127.0.0.1]:80"})
        EXPECT_THAT(why({.listen = listen}), HasSubstr("not an address and a port")) << listen;
    EXPECT_THAT(why({.listen = "127.0.0.1:0", .netns = "/nowhere"}), HasSubstr("/nowhere"));
    EXPECT_THAT(why({.listen = "127.0.0.1:0", .tls_certificate = "/x"}), HasSubstr("set both or none"));
    EXPECT_THAT(why({.listen = "127.0.0.1:0", .tls_certificate = "/x", .tls_key = "/y"}),
                HasSubstr("cannot use api.tls_certificate /x"));

    ListenerOptions taken{.name = "api", .listen = "127.0.0.1:0"};
    const auto first = Listener::open(io, taken, router).value();
    EXPECT_THAT(why({.listen = "127.0.0.1:" + std::to_string(first.port())}), HasSubstr("in use"));
}

}  // namespace
}  // namespace rouse::http
