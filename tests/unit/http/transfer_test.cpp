// Large bodies, both ways: uploads that stream, files by sendfile, streams that the handler writes.

#include "tests/unit/http/client.hpp"
#include "tests/unit/http/server.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse::http {
namespace {

using namespace std::chrono_literals;

// How the last upload ended, for the test's thread.
class Uploads {
  public:
    void ended(std::string how) {
        const std::lock_guard lock(mutex_);
        how_ = std::move(how);
        changed_.notify_all();
    }
    std::string wait() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, 10s, [this] { return !how_.empty(); });
        return std::exchange(how_, "");
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string how_;
};

std::string pattern(std::size_t size) {
    std::string out(size, '\0');
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 2654435761U >> 13);
    return out;
}

class TransferTest : public testing::Test {
  protected:
    TransferTest() {
        router_.add({.method = Method::put,
                     .pattern = "/upload",
                     .access = Access::anyone(),
                     .body = BodyKind::stream},
                    Handler([this](Request& request) { return upload(request); }));
        router_.add({.method = Method::put,
                     .pattern = "/refuse",
                     .access = Access::anyone(),
                     .body = BodyKind::stream},
                    [](Request&) -> Outcome { return problem(Status::conflict, "no, thank you"); });
        router_.add({.pattern = "/file", .access = Access::anyone()}, [this](Request& request) -> Outcome {
            const auto offset = request.query.integer("offset", 0, 0, content_.size()).value();
            const auto length =
                request.query.integer("length", content_.size() - offset, 0, UINT64_MAX).value();
            return Response::file(
                {std::make_shared<File>(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)), offset, length});
        });
        router_.add({.pattern = "/stream", .access = Access::anyone()}, [](Request&) -> Outcome {
            return Response::stream(
                [](ResponseStream& stream) -> asio::awaitable<void> {
                    for (int i = 0; i < 1000; ++i)
                        if (!co_await stream.write(std::to_string(i) + "\n")) co_return;
                    co_await stream.write("");
                },
                "text/plain");
        });
        router_.add({.pattern = "/endless", .access = Access::anyone()}, [this](Request&) -> Outcome {
            return Response::stream(
                [this](ResponseStream& stream) -> asio::awaitable<void> {
                    asio::steady_timer timer(co_await asio::this_coro::executor);
                    while (co_await stream.write("tick\n")) {
                        timer.expires_after(10ms);
                        co_await timer.async_wait(asio::use_awaitable);
                    }
                    uploads_.ended("stream ended");
                },
                "text/plain");
        });
        std::ofstream(path_) << content_;
    }

    asio::awaitable<Outcome> upload(Request& request) {
        std::string body;
        std::array<std::byte, 10'000> chunk;
        for (;;) {
            const auto n = co_await request.read_some(chunk);
            if (!n) {
                uploads_.ended("error after " + std::to_string(body.size()) + ": " + n.error().detail);
                co_return tl::unexpected(n.error());
            }
            if (*n == 0) break;
            received_ += *n;
            body.append(reinterpret_cast<const char*>(chunk.data()), *n);
        }
        uploads_.ended(body == content_ ? "complete" : "different, of " + std::to_string(body.size()));
        co_return Response::text(std::to_string(request.body_length().value_or(0)));
    }

    TemporaryDirectory directory_;
    std::string path_ = directory_ / "content";
    std::string content_ = pattern(3'000'001);
    Uploads uploads_;
    std::atomic<std::size_t> received_ = 0;
    Router router_;
};

TEST_F(TransferTest, UploadsByLength) {
    Server server(router_);
    Client client(server.port());
    const auto length = std::to_string(content_.size());
    for (int i = 0; i < 2; ++i) {
        client.send("PUT /upload HTTP/1.1\r\nHost: t\r\nContent-Length: " + length + "\r\n\r\n" + content_);
        EXPECT_EQ(client.receive().body, length);
        EXPECT_EQ(uploads_.wait(), "complete");
    }
}

TEST_F(TransferTest, UploadsByChunksOfAnySize) {
    Server server(router_);
    Client client(server.port());
    std::string body;
    std::size_t size = 1;
    for (std::size_t at = 0; at < content_.size(); at += size, size = size * 3 % 70'001) {
        size = std::min(size, content_.size() - at);
        char head[32];
        std::snprintf(head, sizeof head, "%zX\r\n", size);
        body += head + content_.substr(at, size) + "\r\n";
    }
    client.send("PUT /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + body + "0\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(uploads_.wait(), "complete");
    EXPECT_EQ(client.get("/file?length=3").body, content_.substr(0, 3));
}

TEST_F(TransferTest, ACutUploadIsAnError) {
    constexpr std::size_t kSent = 100'000;
    Server server(router_);
    for (const char* framing :
         {"Content-Length: 3000001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2dc6c1\r\n"})
        for (const bool by_reset : {false, true}) {
            Client client(server.port());
            client.send("PUT /upload HTTP/1.1\r\nHost: t\r\n" + std::string(framing) +
                        content_.substr(0, kSent));
            while (received_ < kSent) std::this_thread::sleep_for(1ms);  // a reset takes along what is unread
            received_ = 0;
            if (by_reset)
                client.reset();
            else
                client.shut_down_sending();
            EXPECT_THAT(uploads_.wait(), testing::HasSubstr("went away before the body was complete"));
        }
}

TEST_F(TransferTest, ABodyWithoutItsLastChunkIsAnError) {
    Server server(router_);
    Client client(server.port());
    client.send("PUT /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    client.shut_down_sending();
    EXPECT_THAT(uploads_.wait(), testing::HasSubstr("error after 3"));
}

TEST_F(TransferTest, AStalledUploadIsAnError) {
    ListenerOptions options;
    options.stall_timeout = 200ms;
    Server server(router_, options);
    Client client(server.port());
    client.send("PUT /upload HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_THAT(uploads_.wait(), testing::HasSubstr("error after 3"));
}

TEST_F(TransferTest, ARefusedUploadGetsItsAnswer) {
    Server server(router_);
    Client client(server.port());
    client.send("PUT /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(content_.size()) +
                "\r\n\r\n");
    client.send(content_);
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 409);
    EXPECT_THAT(answer.body, testing::HasSubstr("no, thank you"));
}

TEST_F(TransferTest, SendsFilesAndPartsOfThem) {
    Server server(router_);
    Client client(server.port());
    EXPECT_EQ(client.get("/file").body, content_);
    EXPECT_EQ(client.get("/file?offset=1000&length=2000000").body, content_.substr(1000, 2'000'000));
    EXPECT_EQ(client.get("/file?length=0").body, "");
    client.send("HEAD /file HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_TRUE(client.receive(true).has("content-length: 3000001"));
    EXPECT_EQ(client.get("/file?length=5").body, content_.substr(0, 5));
}

TEST_F(TransferTest, AFileThatIsShorterThanAnnouncedCutsTheConnection) {
    Server server(router_);
    Client client(server.port());
    const auto answer = client.get("/file?length=3000002");
    EXPECT_EQ(answer.body.size(), content_.size());
    EXPECT_TRUE(client.is_closed());
}

TEST_F(TransferTest, StreamsInChunks) {
    Server server(router_);
    std::string expected;
    for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + "\n";
    Client client(server.port());
    for (int i = 0; i < 2; ++i) EXPECT_EQ(client.get("/stream").body, expected);
    Client old(server.port());
    old.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = old.receive();
    EXPECT_FALSE(answer.has("transfer-encoding"));
    EXPECT_EQ(answer.body, expected);
}

TEST_F(TransferTest, AStreamEndsWithItsClient) {
    Server server(router_);
    Client client(server.port());
    client.send("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n");
    std::this_thread::sleep_for(50ms);
    client.reset();
    EXPECT_EQ(uploads_.wait(), "stream ended");
}

TEST_F(TransferTest, AStreamEndsWithItsListener) {
    Server server(router_);
    Client client(server.port());
    client.send("GET /endless HTTP/1.1\r\nHost: t\r\n\r\n");
    std::this_thread::sleep_for(50ms);
    server.stop(5s);
    EXPECT_EQ(uploads_.wait(), "stream ended");
}

}  // namespace
}  // namespace rouse::http
