// Live streams over real sockets, with real tokens.

#include "mgmt/http/auth.hpp"
#include "mgmt/http/listener.hpp"
#include "mgmt/http/password.hpp"
#include "mgmt/ims/live_events.hpp"
#include "mgmt/live/session.hpp"
#include "mgmt/store/documents.hpp"
#include "tests/unit/http/body_text.hpp"
#include "tests/unit/http/coroutine.hpp"
#include "tests/unit/http/server.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace rouse::live {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using nlohmann::json;
using store::Batch;
using tcp = asio::ip::tcp;

class OneUser final : public http::UserStore {
  public:
    [[nodiscard]] Result<std::optional<http::User>> find(std::string_view) const override { return user_; }
    [[nodiscard]] Result<std::optional<http::Client>> find_client(std::string_view) const override {
        return std::nullopt;
    }

  private:
    std::optional<http::User> user_{http::User{http::hash_password("secret").value(), http::Role::viewer}};
};

struct Fields {
    std::string authorization, protocol, last_event_id, accept;
};

// A WebSocket client that waits for what it reads.
class WebClient {
  public:
    explicit WebClient(std::uint16_t port) : socket_(io_) {
        socket_.next_layer().connect({asio::ip::address_v4::loopback(), port});
        timeval limit{10, 0};
        setsockopt(socket_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    // The status of a refusal; 101.
    unsigned open(const std::string& target, const Fields& fields) {
        socket_.set_option(websocket::stream_base::decorator([fields](websocket::request_type& request) {
            if (!fields.authorization.empty()) request.set("Authorization", fields.authorization);
            if (!fields.protocol.empty()) request.set("Sec-WebSocket-Protocol", fields.protocol);
            if (!fields.last_event_id.empty()) request.set("Last-Event-ID", fields.last_event_id);
        }));
        websocket::response_type answer;
        boost::system::error_code error;
        socket_.handshake(answer, "127.0.0.1", target, error);
        protocol = std::string(answer["Sec-WebSocket-Protocol"]);
        return answer.result_int();
    }
    json read() {
        beast::flat_buffer buffer;
        boost::system::error_code error;
        socket_.read(buffer, error);
        if (error) return {{"closed", socket_.reason().code}};
        return json::parse(beast::buffers_to_string(buffer.data()));
    }
    // The next message with the member NAME.
    json read_until(const std::string& name) {
        for (;;) {
            const json message = read();
            if (message.contains(name) || message.contains("closed")) return message[name];
        }
    }
    void say(const json& text) { socket_.write(asio::buffer(text.dump())); }

    std::string protocol;

  private:
    asio::io_context io_;
    websocket::stream<tcp::socket> socket_;
};

class StreamTest : public store::StoreTest {
  protected:
    void SetUp() override {
        const auto opened = writer_->run([](Batch& batch) { return events::EventTables::open(batch); });
        ASSERT_TRUE(opened);
        hub_ = std::make_unique<Hub>(*writer_, *opened, [](const json& fields) { return fields; });
        auth_.emplace(http::Auth::open({.key_directory = keys_}, users_).value());
        auth_->install(router_);
        ims::add_live_events(router_, *hub_);
        server_ = std::make_unique<http::Server>(router_);
    }
    void TearDown() override {
        hub_->close();
        server_.reset();
        hub_.reset();
    }
    std::string token(std::chrono::seconds life = std::chrono::seconds(60)) {
        auto auth = http::Auth::open({.key_directory = keys_, .access_life = life}, users_).value();
        http::Router router;
        auth.install(router);
        http::BodyText text(R"({"username":"tester","password":"secret"})");
        http::Request request;
        request.method = http::Method::post;
        request.path = "/api/token/";
        request.set_body(text);
        const auto response = http::run_to_end(router.dispatch(request));
        return json::parse(std::get<std::string>(response.body)).at("access").get<std::string>();
    }
    std::string bearer() { return "Bearer " + token(); }
    store::Document add(const std::string& name) {
        return writer_
            ->run([&](Batch& batch) {
                return store::insert(batch, store::kClusters, {{"name", name}});
            })
            .value();
    }
    // A plain HTTP exchange: what came until UNTIL did, or the connection ended.
    std::string ask(const std::string& method, const std::string& target, const Fields& fields,
                    const std::string& until) {
        asio::io_context io;
        tcp::socket socket(io);
        socket.connect({asio::ip::address_v4::loopback(), server_->port()});
        timeval limit{10, 0};
        setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        std::string text = method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
        if (!fields.authorization.empty()) text += "Authorization: " + fields.authorization + "\r\n";
        if (!fields.accept.empty()) text += "Accept: " + fields.accept + "\r\n";
        if (!fields.last_event_id.empty()) text += "Last-Event-ID: " + fields.last_event_id + "\r\n";
        if (!fields.protocol.empty()) text += fields.protocol;
        asio::write(socket, asio::buffer(text + "\r\n"));
        std::string answer;
        boost::system::error_code error;
        asio::read_until(socket, asio::dynamic_buffer(answer), until, error);
        return answer;
    }

    OneUser users_;
    const std::string keys_ = directory_.path() + "/keys";
    std::unique_ptr<Hub> hub_;
    std::optional<http::Auth> auth_;
    http::Router router_;
    std::unique_ptr<http::Server> server_;
};

TEST_F(StreamTest, AWebSocketTellsOfChangesAndTakesSubscriptions) {
    add("before");
    WebClient client(server_->port());
    ASSERT_EQ(client.open("/api/events/?kind=cluster", {.authorization = bearer()}), 101U);
    EXPECT_EQ(client.read()["hello"]["sequence"], 1);
    const auto edge = add("edge");
    const json told = client.read_until("events");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0]["object"]["name"], "edge");
    EXPECT_EQ(told[0]["sequence"], 2);

    client.say({{"unsubscribe", {{"kind", "cluster"}}}});
    EXPECT_EQ(client.read_until("subscribed")["subscriptions"], 0);
    client.say({{"subscribe", {{"id", "nonsense"}}}});
    EXPECT_EQ(client.read_until("error")["status"], 400);
    client.say(json("what?"));
    EXPECT_EQ(client.read_until("error")["status"], 400);
    client.say({{"subscribe", {{"id", edge.id.to_string()}}}});
    EXPECT_EQ(client.read_until("subscribed")["subscriptions"], 1);
    add("not for us");
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return store::erase(batch, store::kClusters, edge.id); }));
    const json gone = client.read_until("events");
    ASSERT_EQ(gone.size(), 1U);
    EXPECT_EQ(gone[0]["what"], "deleted");
}

TEST_F(StreamTest, ItGoesOnWhereItWasLeft) {
    add("a");
    add("b");
    add("c");
    WebClient client(server_->port());
    ASSERT_EQ(client.open("/api/events/?after=1", {.authorization = bearer()}), 101U);
    EXPECT_EQ(client.read()["hello"]["sequence"], 1);
    const json missed = client.read_until("events");
    ASSERT_EQ(missed.size(), 2U);
    EXPECT_EQ(missed[1]["object"]["name"], "c");
    const json caught_up = client.read_until("caught_up");
    EXPECT_EQ(caught_up["to"], 3);
    EXPECT_EQ(caught_up["told"], 2);
    WebClient stranger(server_->port());
    ASSERT_EQ(stranger.open("/api/events/?after=77", {.authorization = bearer()}), 101U);
    EXPECT_EQ(stranger.read()["hello"]["reread"], true);
}

TEST_F(StreamTest, ServerSentEventsCarryTheSequenceAsTheirId) {
    add("a");
    add("b");
    const std::string answer =
        ask("GET", "/api/events/",
            {.authorization = bearer(), .last_event_id = "1", .accept = "text/event-stream"}, "caught_up");
    EXPECT_NE(answer.find("200 OK"), std::string::npos);
    EXPECT_NE(answer.find("Content-Type: text/event-stream"), std::string::npos);
    EXPECT_NE(answer.find("event: hello\ndata: {"), std::string::npos);
    EXPECT_NE(answer.find("id: 2\ndata: {\"sequence\":2,"), std::string::npos);
    EXPECT_EQ(answer.find("id: 1\n"), std::string::npos);
}

TEST_F(StreamTest, NobodyWithoutATokenAndNoTokenInTheUrl) {
    for (const std::string target : {"/api/events/", "/api/events/?token=x", "/api/events/?ticket=x"}) {
        WebClient client(server_->port());
        EXPECT_EQ(client.open(target, {}), 401U) << target;
    }
    WebClient client(server_->port());
    EXPECT_EQ(client.open("/api/events/?access_token=" + token(), {}), 401U);
}

TEST_F(StreamTest, BrowsersShowTheTokenInTheProtocolOrBuyATicket) {
    WebClient browser(server_->port());
    ASSERT_EQ(browser.open("/api/events/", {.protocol = "rouse.events, bearer." + token()}), 101U);
    EXPECT_EQ(browser.protocol, "rouse.events");
    EXPECT_TRUE(browser.read().contains("hello"));

    const std::string bought = ask("POST", "/api/events/ticket/", {.authorization = bearer()},
                                   "\r\n\r\n{\"expires_in\":30,\"ticket\":");
    const auto body = ask("POST", "/api/events/ticket/", {.authorization = bearer()}, "\"}");
    const json ticket = json::parse(body.substr(body.find("\r\n\r\n")));
    const std::string target = "/api/events/?ticket=" + ticket["ticket"].get<std::string>();
    WebClient first(server_->port());
    EXPECT_EQ(first.open(target, {}), 101U);
    WebClient second(server_->port());
    EXPECT_EQ(second.open(target, {}), 401U);
    EXPECT_NE(bought.find("no-store"), std::string::npos);
}

TEST_F(StreamTest, AnExpiredTokenEndsTheStreamWithItsCode) {
    WebClient client(server_->port());
    ASSERT_EQ(client.open("/api/events/", {.authorization = "Bearer " + token(std::chrono::seconds(3))}),
              101U);
    EXPECT_TRUE(client.read().contains("hello"));
    EXPECT_EQ(client.read()["closed"], kTokenExpired);
    const std::string stream = ask(
        "GET", "/api/events/", {.authorization = "Bearer " + token(std::chrono::seconds(3))}, "event: end");
    EXPECT_NE(stream.find("event: end"), std::string::npos);
}

TEST_F(StreamTest, WhenTheApplianceStopsItSaysSo) {
    WebClient client(server_->port());
    ASSERT_EQ(client.open("/api/events/", {.authorization = bearer()}), 101U);
    EXPECT_TRUE(client.read().contains("hello"));
    hub_->close();
    EXPECT_EQ(client.read()["closed"], kGoingAway);
    WebClient late(server_->port());
    EXPECT_EQ(late.open("/api/events/", {.authorization = bearer()}), 503U);
}

TEST_F(StreamTest, WrongQuestionsGetTheirOwnAnswers) {
    const auto status = [&](const std::string& target, Fields fields) {
        fields.authorization = bearer();
        const std::string answer = ask("GET", target, fields, "\r\n\r\n");
        return answer.size() > 12 ? answer.substr(9, 3) : answer;
    };
    const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    EXPECT_EQ(status("/api/events/", {.accept = "application/json"}), "406");
    EXPECT_EQ(status("/api/events/?kind=user", {}), "400");
    EXPECT_EQ(status("/api/events/?after=x", {}), "400");
    EXPECT_EQ(status("/api/events/", {.last_event_id = "1x"}), "400");
    EXPECT_EQ(status("/api/events/", {.protocol = upgrade + "Sec-WebSocket-Version: 12\r\n"}), "400");
    EXPECT_EQ(status("/api/events/", {.protocol = upgrade + "Sec-WebSocket-Version: 13\r\n"}), "400");
    EXPECT_EQ(status("/api/events/", {.protocol = upgrade + "Sec-WebSocket-Version: 13\r\n"
                                                            "Sec-WebSocket-Key: short\r\n"}),
              "400");
    EXPECT_EQ(status("/api/events/", {.protocol = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"}),
              "400");
    EXPECT_EQ(hub_->statistics().followers, 0U);  // nothing stays of them
}

}  // namespace
}  // namespace rouse::live
