#pragma once
// A WebSocket client of /api/events/ that does no more than measure: how old each timeline entry is by the
// time it has come in.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::storm {

class Client {
  public:
    // Connects to 127.0.0.1:PORT; throws std::runtime_error when it is refused.
    Client(std::uint16_t port, const std::string& token, const std::string& query);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Reads until stop().
    void run();
    // From another thread: ends run().
    void stop();

    [[nodiscard]] const std::vector<std::uint32_t>& delays_ms() const noexcept { return delays_ms_; }
    [[nodiscard]] std::uint64_t merged() const noexcept { return merged_; }
    [[nodiscard]] std::uint64_t catch_ups() const noexcept { return catch_ups_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

  private:
    bool fill();
    bool take_frame();
    void measure(std::string_view text);

    int socket_ = -1;
    std::string received_;
    std::size_t taken_ = 0;  // of received_
    std::vector<std::uint32_t> delays_ms_;
    std::uint64_t merged_ = 0;
    std::uint64_t catch_ups_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace rouse::storm
