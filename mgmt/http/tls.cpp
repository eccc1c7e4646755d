#include "mgmt/http/tls.hpp"

#include "mgmt/http/base64.hpp"

#include <array>
#include <ctime>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace rouse::http {
namespace {

namespace ssl = boost::asio::ssl;
using Context = ssl::context;

struct Loaded {
    std::shared_ptr<Context> context;
    std::int64_t not_after = 0;
};

std::int64_t not_after(SSL_CTX* context) {
    const X509* certificate = SSL_CTX_get0_certificate(context);
    std::tm time{};
    if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
    return ::timegm(&time);
}

// Forward secrecy and authenticated encryption only (RFC 9325 4.2). Those of TLS 1.3 are all like that.
void harden(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(context,
                        SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

// Client certificates are asked for, and checked when one comes; which route needs one is not TLS's affair.
Result<void> ask_for_clients(Context& context, const TlsOptions& options) {
    boost::system::error_code error;
    context.load_verify_file(options.client_ca, error);
    STACK_OF(X509_NAME)* names = error ? nullptr : SSL_load_client_CA_file(options.client_ca.c_str());
    if (names == nullptr)
        return fail("cannot use " + options.name + ".tls_client_ca " + options.client_ca + ": " +
                    (error ? error.message() : "it holds no certificate") +
                    "; it must be a PEM file of the authorities that sign client certificates");
    SSL_CTX_set_client_CA_list(context.native_handle(), names);
    context.set_verify_mode(ssl::verify_peer);
    // Sessions are resumed with the certificate that they began with, and by this listener alone.
    const auto* id = reinterpret_cast<const unsigned char*>("rouse");
    SSL_CTX_set_session_id_context(context.native_handle(), id, 5);
    return {};
}

Result<Loaded> load(const TlsOptions& options) {
    const auto& name = options.name;
    auto context = std::make_shared<Context>(Context::tls_server);
    harden(context->native_handle());
    // Without it OpenSSL would ask for the password of an encrypted key on the terminal.
    context->set_password_callback([](std::size_t, Context::password_purpose) { return std::string(); });
    boost::system::error_code error;
    context->use_certificate_chain_file(options.certificate, error);
    if (error)
        return fail("cannot use " + name + ".tls_certificate " + options.certificate + ": " +
                    error.message() + "; it must be a PEM file with the certificate first, then its chain");
    context->use_private_key_file(options.key, Context::pem, error);
    if (error)
        return fail("cannot use " + name + ".tls_key " + options.key + ": " + error.message() +
                    "; it must be the PEM private key of " + options.certificate + ", without a password");
    if (!options.client_ca.empty())
        if (auto asked = ask_for_clients(*context, options); !asked) return tl::unexpected(asked.error());
    const auto end = not_after(context->native_handle());
    return Loaded{std::move(context), end};
}

}  // namespace

std::string client_thumbprint(SSL* connection) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(connection),
                                                                  &X509_free);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return {};
    return base64url({reinterpret_cast<const char*>(digest.data()), size});
}

Result<std::unique_ptr<TlsIdentity>> TlsIdentity::open(TlsOptions options) {
    std::unique_ptr<TlsIdentity> identity(new TlsIdentity(std::move(options)));
    identity->seen_ = identity->files();
    auto loaded = load(identity->options_);
    if (!loaded) return tl::unexpected(loaded.error());
    identity->context_ = std::move(loaded->context);
    identity->status_.not_after = loaded->not_after;
    if (loaded->not_after <= std::time(nullptr))
        spdlog::error("{}: the certificate {} has expired; put a new one and its key in their places",
                      identity->options_.name, identity->options_.certificate);
    return identity;
}

std::shared_ptr<Context> TlsIdentity::context() const {
    const std::lock_guard lock(mutex_);
    return context_;
}

TlsStatus TlsIdentity::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

// What changes when a file is written or replaced.
std::string TlsIdentity::files() const {
    std::string out;
    for (const auto* path : {&options_.certificate, &options_.key, &options_.client_ca}) {
        struct stat status {};
        if (path->empty() || ::stat(path->c_str(), &status) != 0) {
            out += "-;";
            continue;
        }
        for (const long number : {static_cast<long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec,
                                  static_cast<long>(status.st_size), static_cast<long>(status.st_ino)})
            out += std::to_string(number) + ";";
    }
    return out;
}

void TlsIdentity::reload(bool anyway) {
    const std::lock_guard lock(mutex_);
    std::string now = files();
    if (now == seen_ && !anyway) return;
    seen_ = std::move(now);
    auto loaded = load(options_);
    if (loaded && loaded->not_after <= std::time(nullptr))
        loaded = fail("the new certificate " + options_.certificate + " has expired already");
    if (!loaded) {
        ++status_.failures;
        if (status_.trouble != loaded.error().message)
            spdlog::error("{}: goes on with its old certificate: {}", options_.name, loaded.error().message);
        status_.trouble = loaded.error().message;
        return;
    }
    context_ = std::move(loaded->context);
    status_.not_after = loaded->not_after;
    status_.trouble.clear();
    ++status_.reloads;
    spdlog::info("{}: has taken the certificate {}", options_.name, options_.certificate);
}

}  // namespace rouse::http
