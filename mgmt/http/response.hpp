#pragma once
// What a handler answers with.

#include "mgmt/http/headers.hpp"
#include "mgmt/http/problem.hpp"
#include "mgmt/http/status.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

namespace asio = boost::asio;

// An open file descriptor, closed with its last owner.
class File {
  public:
    explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  private:
    int descriptor_;
};

// Bytes of a file, sent by sendfile(2) where the connection is plain. The file must not shrink meanwhile: if
// it does, the connection is cut, so that the client sees a short body and not a wrong one.
struct FileRange {
    std::shared_ptr<File> file;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

// The far end of a streamed response.
class ResponseStream {
  public:
    virtual ~ResponseStream() = default;
    // Sends DATA now and returns when the kernel has taken it, so a slow client slows its handler and piles
    // up nothing. False: the client has gone, or the listener shuts down; return.
    virtual asio::awaitable<bool> write(std::string_view data) = 0;
};
// Writes a body of unknown length (chunked); runs after the header has been sent. It must not use the Request
// by reference after its handler returned it: capture copies.
using StreamBody = std::function<asio::awaitable<void>(ResponseStream&)>;

// What became of a response's body.
struct Delivery {
    std::uint64_t bytes = 0;  // that the kernel took
    bool complete = false;
};

struct Response {
    Status status = Status::ok;
    Headers headers;  // without Content-Length, Date and connection management: the connection adds these
    std::variant<std::string, FileRange, StreamBody> body;
    // Told once, on the connection's thread, when the response has been written or cannot be any more.
    std::function<void(const Delivery&)> on_end = {};

    [[nodiscard]] static Response json(const nlohmann::json& value, Status status = Status::ok);
    // Already serialised JSON.
    [[nodiscard]] static Response json_text(std::string text, Status status = Status::ok);
    // 201 with Location.
    [[nodiscard]] static Response created(std::string location, const nlohmann::json& value);
    [[nodiscard]] static Response text(std::string text,
                                       std::string content_type = "text/plain; charset=utf-8",
                                       Status status = Status::ok);
    [[nodiscard]] static Response no_content();
    [[nodiscard]] static Response file(FileRange range,
                                       std::string content_type = "application/octet-stream");
    [[nodiscard]] static Response stream(StreamBody body, std::string content_type);
    // The one writer of application/problem+json.
    [[nodiscard]] static Response from(const Problem& problem);
};

// What handlers return.
using Outcome = OrProblem<Response>;

}  // namespace rouse::http
