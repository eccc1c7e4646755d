// TLS and curl: a certificate of our own, protocol versions, large bodies both ways.

#include "mgmt/http/schema.hpp"
#include "tests/unit/http/server.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <array>
#include <ctime>
#include <fstream>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::http {
namespace {

const Schema kThing("Thing", "A thing", {string("name", "its name")});

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
        make(certificate_, key_);
        router_.add({.pattern = "/hello", .access = Access::anyone()},
                    [](Request&) -> Outcome { return Response::text("hello over TLS"); });
        router_.add({.pattern = "/certificate", .access = Access::anyone()},
                    [](Request& request) -> Outcome { return Response::text(request.certificate); });
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
    static void make(const std::string& certificate, const std::string& key,
                     const std::string& name = "rouse") {
        const auto made = run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
            " -addext subjectAltName=IP:127.0.0.1 -keyout " + key + " -out " + certificate);
        EXPECT_EQ(made.exit_code, 0) << made.text;
    }
    // What `openssl s_client` says about a connection.
    static std::string s_client(const Server& server, const std::string& options) {
        return run("timeout 10 openssl s_client -connect 127.0.0.1:" + std::to_string(server.port()) + " " +
                   options + " </dev/null")
            .text;
    }
    // Whether CONDITION holds within a few seconds.
    static bool soon(const std::function<bool()>& condition) {
        for (int i = 0; i < 100; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return false;
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

TEST_F(TlsTest, TakesANewCertificateWithoutARestart) {
    Server server(router_, options_);
    const auto subject = [&] { return s_client(server, ""); };
    EXPECT_THAT(subject(), testing::HasSubstr("subject=CN = rouse"));
    make(directory_ / "new.pem", directory_ / "new-key.pem", "renewed");
    std::filesystem::rename(directory_ / "new.pem", certificate_);
    EXPECT_TRUE(soon([&] { return server.listener().tls_status()->failures == 1; }));
    EXPECT_THAT(server.listener().tls_status()->trouble, testing::HasSubstr("cannot use api.tls_key"));
    EXPECT_THAT(subject(), testing::HasSubstr("subject=CN = rouse")) << "half a pair changes nothing";
    std::filesystem::rename(directory_ / "new-key.pem", key_);
    EXPECT_TRUE(soon([&] { return server.listener().tls_status()->reloads == 1; }));
    EXPECT_EQ(server.listener().tls_status()->trouble, "");
    EXPECT_THAT(subject(), testing::HasSubstr("subject=CN = renewed"));
    EXPECT_EQ(run(curl(server, "/hello")).text, "hello over TLS");
}

TEST_F(TlsTest, ReadsItsFilesAgainWhenAsked) {
    Server server(router_, options_);
    server.listener().reload_tls();
    EXPECT_EQ(server.listener().tls_status()->reloads, 1U);
    std::ofstream(key_) << "not a key";
    server.listener().reload_tls();
    EXPECT_GE(server.listener().tls_status()->failures, 1U);
    EXPECT_EQ(run(curl(server, "/hello")).text, "hello over TLS");
}

TEST_F(TlsTest, TellsWhenItsCertificateEnds) {
    Server server(router_, options_);
    const auto left = server.listener().tls_status()->not_after - std::time(nullptr);
    EXPECT_GT(left, 86'400 + 80'000);
    EXPECT_LE(left, 2 * 86'400);
}

TEST_F(TlsTest, AnEncryptedKeyIsAnErrorAndNoQuestion) {
    options_.tls_key = key_ + ".encrypted";
    ASSERT_EQ(
        run("openssl ec -aes256 -passout pass:secret -in " + key_ + " -out " + options_.tls_key).exit_code,
        0);
    options_.name = "api";
    options_.listen = "127.0.0.1:0";
    asio::io_context io;
    const auto listener = Listener::open(io, options_, router_);
    ASSERT_FALSE(listener);
    EXPECT_THAT(listener.error().message, testing::HasSubstr("without a password"));
}

TEST_F(TlsTest, OffersForwardSecrecyAndAuthenticatedEncryptionAlone) {
    Server server(router_, options_);
    EXPECT_THAT(s_client(server, "-tls1_3"), testing::HasSubstr("New, TLSv1.3"));
    EXPECT_THAT(s_client(server, "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256"),
                testing::HasSubstr("New, TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256"));
    for (const char* weak :
         {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "eNULL:aNULL"})
        EXPECT_THAT(s_client(server, std::string("-tls1_2 -cipher ") + weak + ":@SECLEVEL=0"),
                    testing::HasSubstr("Cipher is (NONE)"))
            << weak;
}

TEST_F(TlsTest, KnowsItsClientsByTheirCertificates) {
    const std::string ca = directory_ / "ca.pem", ca_key = directory_ / "ca-key.pem";
    const std::string client = directory_ / "client.pem", client_key = directory_ / "client-key.pem";
    make(ca, ca_key, "authority");
    const auto made =
        run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=smo -keyout " +
            client_key + " -out " + client + ".csr && openssl x509 -req -days 2 -in " + client + ".csr -CA " +
            ca + " -CAkey " + ca_key + " -CAcreateserial -out " + client);
    ASSERT_EQ(made.exit_code, 0) << made.text;
    options_.tls_client_ca = ca;
    Server server(router_, options_);
    EXPECT_EQ(run(curl(server, "/certificate")).text, "") << "without one too";
    const auto thumbprint =
        run("openssl x509 -in " + client +
            " -outform DER | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '=\\n'");
    for (const char* version : {"1.2", "1.3"})
        EXPECT_EQ(run(curl(server, "/certificate --tls-max ") + version + " --cert " + client + " --key " +
                      client_key)
                      .text,
                  thumbprint.text);
    const std::string other = directory_ / "other.pem", other_key = directory_ / "other-key.pem";
    make(other, other_key, "stranger");
    EXPECT_NE(run(curl(server, "/certificate --cert " + other + " --key " + other_key)).exit_code, 0);
}

TEST_F(TlsTest, ASlowBodyIsAnsweredOverTlsToo) {
    options_.stall_timeout = std::chrono::milliseconds(300);
    router_.add({.method = Method::post,
                 .pattern = "/json",
                 .access = Access::anyone(),
                 .body = BodyKind::json,
                 .request = &kThing},
                [](Request&) -> Outcome { return Response::no_content(); });
    Server server(router_, options_);
    const auto answer =
        run(R"((printf 'POST /json HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n{'; sleep 2) | )"
            "timeout 10 openssl s_client -quiet -connect 127.0.0.1:" +
            std::to_string(server.port()));
    EXPECT_THAT(answer.text, testing::HasSubstr("HTTP/1.1 408"));
}

TEST_F(TlsTest, AStrangerThatSaysNothingIsNotWaitedFor) {
    options_.header_timeout = std::chrono::milliseconds(200);
    Server server(router_, options_);
    const auto port = std::to_string(server.port());
    EXPECT_EQ(run("timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + port + "; cat <&3'").exit_code, 0);
}

}  // namespace
}  // namespace rouse::http
