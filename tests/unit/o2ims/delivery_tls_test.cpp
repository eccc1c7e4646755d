// Mutual TLS with subscribers: our certificate is shown to whom we trust, and theirs is checked.

#include "tests/unit/o2ims/outbox_fixture.hpp"

#include <cstdio>

#include <gmock/gmock.h>

namespace rouse::o2ims {
namespace {

// Its output; commands that fail fail the test.
std::string run(const std::string& command) {
    std::string out;
    FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
    std::array<char, 4096> chunk;
    while (const std::size_t n = fread(chunk.data(), 1, chunk.size(), pipe)) out.append(chunk.data(), n);
    EXPECT_EQ(pclose(pipe), 0) << command;
    return out;
}

// An authority, a server's certificate for names below .test (the tests' getaddrinfo leads them here) and a
// client's.
class Certificates {
  public:
    Certificates() {
        make("authority", "-x509 -days 2 -subj /CN=authority");
        sign("server", "subjectAltName=DNS:smo.test,DNS:stranger.test");
        sign("client", "extendedKeyUsage=clientAuth");
    }
    [[nodiscard]] std::string pem(const std::string& name) const { return directory_.path() + "/" + name; }
    [[nodiscard]] std::string key(const std::string& name) const { return pem(name) + ".key"; }
    // x5t#S256 (RFC 8705).
    [[nodiscard]] std::string thumbprint(const std::string& name) const {
        return run("openssl x509 -in " + pem(name) +
                   " -outform DER | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '=\\n'");
    }

  private:
    void make(const std::string& name, const std::string& rest) const {
        run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + key(name) + " -out " +
            pem(name) + " " + rest);
    }
    void sign(const std::string& name, const std::string& extension) const {
        make(name + ".csr", "-subj /CN=" + name);
        std::filesystem::rename(key(name + ".csr"), key(name));
        run("echo " + extension + " > " + pem(name) + ".ext && openssl x509 -req -days 2 -in " + pem(name) +
            ".csr -extfile " + pem(name) + ".ext -CA " + pem("authority") + " -CAkey " + key("authority") +
            " -CAcreateserial -out " + pem(name));
    }
    store::TemporaryDirectory directory_;
};

class DeliveryTls : public OutboxTest {
  protected:
    DeliveryTls() {
        options_.policy.allows_http = false;
        options_.policy.smo_url = "https://smo.test/registration";
        options_.tls = {certificates_.pem("authority"), certificates_.pem("client"),
                        certificates_.key("client")};
    }
    static http::ListenerOptions listening(const Certificates& certificates) {
        http::ListenerOptions out;
        out.tls_certificate = certificates.pem("server");
        out.tls_key = certificates.key("server");
        out.tls_client_ca = certificates.pem("authority");
        return out;
    }

    Certificates certificates_;
    Subscriber smo_{listening(certificates_)};
};

TEST_F(DeliveryTls, TheSmoAloneIsShownOurCertificate) {
    subscribe(smo_.url("smo", "smo.test"));
    subscribe(smo_.url("stranger", "stranger.test"));
    begin();
    happen(0, 2);
    ASSERT_TRUE(soon([&] { return smo_.count("smo") == 2 && smo_.count("stranger") == 2; }));
    EXPECT_EQ(smo_.certificate("smo"), certificates_.thumbprint("client"));
    EXPECT_EQ(smo_.certificate("stranger"), "");
    EXPECT_TRUE(delivery_->probe(smo_.url("smo", "smo.test")));
    EXPECT_EQ(smo_.certificate("smo"), certificates_.thumbprint("client")) << "the test of a callback, too";
    EXPECT_TRUE(delivery_->probe(smo_.url("stranger", "stranger.test")));
    EXPECT_EQ(smo_.certificate("stranger"), "");
}

TEST_F(DeliveryTls, WhoseCertificateIsOfNoAuthorityOfOursIsToldNothing) {
    const Certificates others;
    Subscriber impostor(listening(others));
    subscribe(impostor.url("a", "smo.test"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().retried > 1; }));
    EXPECT_EQ(impostor.count("a"), 0U);
    const auto probed = delivery_->probe(impostor.url("a", "smo.test"));
    ASSERT_FALSE(probed);
    EXPECT_THAT(probed.error().message, testing::HasSubstr("certificate"));
}

TEST_F(DeliveryTls, WhoseCertificateIsForAnotherNameIsToldNothing) {
    subscribe(smo_.url("a", "other.test"));
    begin();
    happen(0, 1);
    ASSERT_TRUE(soon([&] { return delivery_->statistics().retried > 1; }));
    EXPECT_EQ(smo_.count("a"), 0U);
}

}  // namespace
}  // namespace rouse::o2ims
