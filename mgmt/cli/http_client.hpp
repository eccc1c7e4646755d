#pragma once
// HTTP by libcurl: one connection, used again for every request.

#include "mgmt/cli/config.hpp"
#include "mgmt/cli/failure.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rouse::cli {

// A body that is read while it is sent.
class UploadSource {
  public:
    virtual ~UploadSource() = default;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    // Bytes placed in BUFFER, 0 at the end; nothing when reading fails.
    virtual std::optional<std::size_t> read(std::span<char> buffer) = 0;
    virtual void rewind() = 0;
    virtual void progressed(std::uint64_t sent) = 0;
};

// Where the body of a good answer goes as it comes.
class DownloadSink {
  public:
    virtual ~DownloadSink() = default;
    // False ends the transfer.
    virtual bool write(std::span<const char> bytes) = 0;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url = {};
    std::string token = {};  // of "Authorization: Bearer"
    std::string content_type = {};
    std::string body = {};
    UploadSource* upload = nullptr;    // instead of `body`
    DownloadSink* download = nullptr;  // instead of the reply's body, when that is good
    long timeout_seconds = 60;         // 0: none, as long as bytes move
};

struct HttpReply {
    long status = 0;
    std::string body;
    std::string next = {};  // path and query of the next page (RFC 8288), or empty
};

class HttpClient {
  public:
    explicit HttpClient(TlsFiles tls);
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;
    ~HttpClient();

    // Any status is a reply; a failure is that there was none.
    [[nodiscard]] OrFailure<HttpReply> send(const HttpRequest& request);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rouse::cli
