// TLS and curl: a certificate of our own, protocol versions, large bodies both ways.

#include "tests/unit/http/server.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <array>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::http {
namespace {

struct Output {
    int exit_code = -1;
    std::string text;
};

Output run(const std::string& command) {
    Output output;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    std::array<char, 4096> chunk;
    while (const std::size_t n = fread(chunk.data(), 1, chunk.size(), pipe))
        output.text.append(chunk.data(), n);
    output.exit_code = WEXITSTATUS(pclose(pipe));
    return output;
}

class TlsTest : public testing::Test {
  protected:
    TlsTest() {
        const auto made = run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=rouse "
            "-addext subjectAltName=IP:127.0.0.1 -keyout " +
            key_ + " -out " + certificate_);
        EXPECT_EQ(made.exit_code, 0) << made.text;
        router_.add({.pattern = "/hello", .access = Access::anyone()},
                    [](Request&) -> Outcome { return Response::text("hello over TLS"); });
        router_.add({.pattern = "/file", .access = Access::anyone()}, [this](Request&) -> Outcome {
            return Response::file(
                {std::make_shared<File>(::open(file_.c_str(), O_RDONLY | O_CLOEXEC)), 0, 2'000'000});
        });
        router_.add({.method = Method::put,
                     .pattern = "/count",
                     .access = Access::anyone(),
                     .body = BodyKind::stream},
                    Handler([](Request& request) -> asio::awaitable<Outcome> {
                        std::array<std::byte, 4096> chunk;
                        std::size_t total = 0;
                        for (;;) {
                            const auto n = co_await request.read_some(chunk);
                            if (!n) co_return tl::unexpected(n.error());
                            if (*n == 0) break;
                            total += *n;
                        }
                        co_return Response::text(std::to_string(total));
                    }));
        std::ofstream(file_) << std::string(2'000'000, 'y');
        options_.tls_certificate = certificate_;
        options_.tls_key = key_;
    }
    [[nodiscard]] std::string curl(const Server& server, const std::string& rest) const {
        return "curl -sS -m 20 --cacert " + certificate_ +
               " https://127.0.0.1:" + std::to_string(server.port()) + rest;
    }

    TemporaryDirectory directory_;
    std::string key_ = directory_ / "key.pem";
    std::string certificate_ = directory_ / "certificate.pem";
    std::string file_ = directory_ / "file";
    Router router_;
    ListenerOptions options_;
};

TEST_F(TlsTest, ServesCurl) {
    Server server(router_, options_);
    EXPECT_TRUE(server.listener().is_tls());
    EXPECT_EQ(run(curl(server, "/hello")).text, "hello over TLS");
    EXPECT_EQ(run(curl(server, "/hello --tls-max 1.2")).text, "hello over TLS");
    EXPECT_EQ(run(curl(server, "/file | sha256sum")).text, run("sha256sum < " + file_).text);
    EXPECT_EQ(run(curl(server, "/count -T " + file_)).text, "2000000");
    EXPECT_EQ(run(curl(server, "/count -H 'Transfer-Encoding: chunked' -T " + file_)).text, "2000000");
}

TEST_F(TlsTest, RefusesOldVersionsAndPlainHttp) {
    Server server(router_, options_);
    EXPECT_NE(run(curl(server, "/hello --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0")).exit_code, 0);
    EXPECT_NE(run("curl -sS -m 5 http://127.0.0.1:" + std::to_string(server.port()) + "/hello").exit_code, 0);
    EXPECT_EQ(run(curl(server, "/hello")).text, "hello over TLS");
}

TEST_F(TlsTest, MayListenAnywhere) {
    options_.listen = "0.0.0.0:0";
    Server server(router_, options_);
    EXPECT_EQ(run(curl(server, "/hello")).text, "hello over TLS");
}

TEST_F(TlsTest, AKeyOfAnotherCertificateIsNamed) {
    const std::string other = directory_ / "other.pem";
    ASSERT_EQ(run("openssl ecparam -genkey -name prime256v1 -noout -out " + other).exit_code, 0);
    options_.tls_key = other;
    options_.name = "api";
    options_.listen = "127.0.0.1:0";
    asio::io_context io;
    const auto listener = Listener::open(io, options_, router_);
    ASSERT_FALSE(listener);
    EXPECT_THAT(listener.error().message, testing::HasSubstr("cannot use api.tls_key " + other));
}

TEST_F(TlsTest, AStrangerThatSaysNothingIsNotWaitedFor) {
    options_.header_timeout = std::chrono::milliseconds(200);
    Server server(router_, options_);
    const auto port = std::to_string(server.port());
    EXPECT_EQ(run("timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + port + "; cat <&3'").exit_code, 0);
}

}  // namespace
}  // namespace rouse::http
