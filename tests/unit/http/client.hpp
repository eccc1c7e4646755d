#pragma once
// A client that sends exactly the bytes it is told to and reads with a time limit.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::http {

struct Answer {
    int status = 0;
    std::string header;  // status line and fields, lower case
    std::string body;

    [[nodiscard]] bool has(std::string_view field) const { return header.find(field) != std::string::npos; }
};

class Client {
  public:
    explicit Client(std::uint16_t port);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    // False: the other end has gone.
    bool send(std::string_view bytes);
    // One answer, its body by Content-Length or chunks. status 0: the connection ended or fell silent.
    Answer receive(bool head = false);
    Answer get(std::string_view path, std::string_view fields = "");
    // True when the other end closes within SECONDS; what it sends meanwhile is thrown away.
    bool is_closed(int seconds = 5);
    void shut_down_sending();
    // Closes with a reset, as a machine does that loses power.
    void reset();

  private:
    bool fill();
    std::string take(std::size_t bytes);
    std::optional<std::string> take_through(std::string_view end);
    std::string take_chunks();

    int socket_;
    std::string received_;
};

}  // namespace rouse::http
