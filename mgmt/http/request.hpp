#pragma once
// A request as handlers see it. Lives from its header's arrival until its response is written; used on its
// connection's strand alone.

#include "mgmt/http/headers.hpp"
#include "mgmt/http/method.hpp"
#include "mgmt/http/problem.hpp"
#include "mgmt/http/role.hpp"
#include "mgmt/http/uri.hpp"
#include "shared/addresses.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

namespace asio = boost::asio;

struct Route;

// Where a request's body comes from: a connection, or a string in tests.
class BodySource {
  public:
    virtual ~BodySource() = default;
    // Bytes placed in BUFFER; 0: the body is complete. A problem when the client stalls, breaks the framing
    // or goes away before the end: what was read so far is then not the body and must not be kept.
    virtual asio::awaitable<OrProblem<std::size_t>> read_some(std::span<std::byte> buffer) = 0;
    // As announced by Content-Length; nothing when the body is chunked.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const noexcept = 0;
};

class Request {
  public:
    Request();
    Request(Request&&) noexcept;
    Request& operator=(Request&&) noexcept;
    ~Request();

    Method method = Method::get;
    std::string path;  // as sent, still percent-encoded: for Location and links in the client's own spelling
    Query query;
    Headers headers;
    std::string id;  // for logs and X-Request-Id
    IpAddress peer;  // who is at the other end of the connection
    bool is_tls = false;
    const Route* route = nullptr;        // the one that matched; the router's
    std::optional<Principal> principal;  // set on every route that asks for a role
    std::string certificate;             // x5t#S256 of the client's (RFC 8705); empty: none
    mutable bool is_audited = false;     // what it changes is on the audit log already
    std::string claimed;                 // who it said it was when it asked for a token, proven or not

    // The route's path parameter {NAME} or {NAME...}, percent-decoded, never empty. Asking for one that the
    // route's pattern lacks is a programming error and throws std::out_of_range.
    [[nodiscard]] const std::string& parameter(std::string_view name) const;

    // The body of a route that was registered with a schema: checked, canonical, complete with defaults (for
    // PATCH: the merge-patch, checked). On other routes: null.
    [[nodiscard]] const nlohmann::json& json() const noexcept { return *json_; }

    // For routes with BodyKind::stream: the body's next bytes into BUFFER; 0 at its end. The first call sends
    // "100 Continue" to a client that waits for it. See BodySource.
    asio::awaitable<OrProblem<std::size_t>> read_some(std::span<std::byte> buffer);
    // As announced by Content-Length, for progress and early refusal; nothing when the body is chunked.
    [[nodiscard]] std::optional<std::uint64_t> body_length() const noexcept;

    // Set by the connection and the router.
    void set_body(BodySource& source) noexcept { source_ = &source; }
    void set_json(nlohmann::json body);
    void set_parameters(std::vector<std::pair<std::string, std::string>> parameters) {
        parameters_ = std::move(parameters);
    }

  private:
    std::vector<std::pair<std::string, std::string>> parameters_;
    std::unique_ptr<nlohmann::json> json_;
    BodySource* source_ = nullptr;
};

}  // namespace rouse::http
