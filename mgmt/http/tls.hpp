#pragma once
// The certificate that a listener shows and the authority whose client certificates it believes: read from
// files, and read again when they change, without a connection being lost.

#include "shared/result.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/ssl/context.hpp>

namespace rouse::http {

struct TlsOptions {
    std::string name;         // of the listener, for messages: "api"
    std::string certificate;  // PEM: the certificate first, then its chain
    std::string key;          // PEM: its private key
    std::string client_ca;    // PEM: who signs client certificates; empty: none are asked for
};

struct TlsStatus {
    std::int64_t not_after = 0;  // of the certificate that is shown, seconds since 1970
    std::uint64_t reloads = 0;   // times that changed files were taken
    std::uint64_t failures = 0;  // times that they could not be
    std::string trouble;         // why the files as they are now are not in use; empty: they are
};

// SHA-256 of the certificate that a connection's client has shown, as x5t#S256 has it (RFC 8705 3.1); empty
// when it has shown none.
[[nodiscard]] std::string client_thumbprint(SSL* connection);

// TLS 1.2 and 1.3. Thread safe.
class TlsIdentity {
  public:
    using Context = boost::asio::ssl::context;

    // Errors say what to change in the configuration.
    [[nodiscard]] static Result<std::unique_ptr<TlsIdentity>> open(TlsOptions options);

    // For new connections; what is open keeps the one that it began with.
    [[nodiscard]] std::shared_ptr<Context> context() const;
    [[nodiscard]] TlsStatus status() const;

    // Takes the files when they have changed, or ANYWAY. Files that do not fit together, or a certificate
    // that has expired, leave all as it is, which is logged once. Reads files: a few hundred microseconds.
    void reload(bool anyway);

  private:
    explicit TlsIdentity(TlsOptions options) : options_(std::move(options)) {}
    [[nodiscard]] std::string files() const;

    TlsOptions options_;
    mutable std::mutex mutex_;
    std::shared_ptr<Context> context_;
    TlsStatus status_;
    std::string seen_;  // files() when they were read last
};

}  // namespace rouse::http
