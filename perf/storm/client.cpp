#include "perf/storm/client.hpp"

#include "shared/clock.hpp"

#include <charconv>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::storm {
namespace {

constexpr std::size_t kReadAtOnce = 256 * 1024;
constexpr std::uint64_t kDayMs = 86'400'000;

unsigned two_digits(const char* at) {
    return static_cast<unsigned>(at[0] - '0') * 10 + static_cast<unsigned>(at[1] - '0');
}

// The milliseconds of the day in "2026-11-20T12:34:56.789Z".
std::uint64_t millis_of_day(const char* time) {
    const std::uint64_t seconds =
        two_digits(time + 11) * 3600ULL + two_digits(time + 14) * 60ULL + two_digits(time + 17);
    return seconds * 1000 + static_cast<unsigned>(time[20] - '0') * 100 + two_digits(time + 21);
}

}  // namespace

Client::Client(std::uint16_t port, const std::string& token, const std::string& query)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect to the appliance");
    const std::string request =
        "GET /api/events/" + query +
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cm91c2Ugc3Rvcm0gYmVuY2g=\r\n"
        "Authorization: Bearer " +
        token + "\r\n\r\n";
    if (::send(socket_, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size()))
        throw std::runtime_error("cannot ask for the stream");
    std::size_t end = std::string::npos;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) throw std::runtime_error("the appliance closed the connection: " + received_);
    if (!received_.starts_with("HTTP/1.1 101"))
        throw std::runtime_error("the stream was refused: " + received_);
    taken_ = end + 4;
}

Client::~Client() {
    if (socket_ >= 0) ::close(socket_);
}

void Client::stop() {
    ::shutdown(socket_, SHUT_RDWR);
}

bool Client::fill() {
    if (taken_ > 0) {
        received_.erase(0, taken_);
        taken_ = 0;
    }
    const std::size_t before = received_.size();
    received_.resize(before + kReadAtOnce);
    const ssize_t n = ::recv(socket_, received_.data() + before, kReadAtOnce, 0);
    received_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    bytes_ += static_cast<std::uint64_t>(std::max<ssize_t>(n, 0));
    return n > 0;
}

void Client::run() {
    do {
        while (take_frame()) {
        }
    } while (fill());
}

// One whole frame (RFC 6455 5.2), if it is there. A server's are not masked.
bool Client::take_frame() {
    const auto* at = reinterpret_cast<const unsigned char*>(received_.data()) + taken_;
    const std::size_t left = received_.size() - taken_;
    if (left < 2) return false;
    std::size_t header = 2;
    std::uint64_t length = at[1] & 0x7f;
    if (length >= 126) {
        const std::size_t bytes = length == 126 ? 2 : 8;
        if (left < header + bytes) return false;
        length = 0;
        for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | at[header + i];
        header += bytes;
    }
    if (left < header + length) return false;
    const unsigned opcode = at[0] & 0x0f;
    constexpr unsigned kText = 1;
    constexpr unsigned kPing = 9;
    if (opcode == kText) measure({received_.data() + taken_ + header, length});
    if (opcode == kPing) {
        // A client's frames are masked: by zeros, which change nothing.
        const std::string pong{"\x8a\x80\0\0\0\0", 6};
        (void)::send(socket_, pong.data(), pong.size(), MSG_NOSIGNAL);
    }
    taken_ += header + length;
    return true;
}

void Client::measure(std::string_view text) {
    const std::uint64_t now = realtime_ns() / kNanosPerMilli % kDayMs;
    constexpr std::string_view kEntry = "\"entry\":{";
    constexpr std::string_view kTime = "\"time\":\"";
    for (auto at = text.find(kEntry); at != std::string_view::npos; at = text.find(kEntry, at + 1)) {
        const auto time = text.find(kTime, at);
        if (time == std::string_view::npos || text.size() - time < 40) break;
        const std::uint64_t then = millis_of_day(text.data() + time + kTime.size());
        delays_ms_.push_back(static_cast<std::uint32_t>((now + kDayMs - then) % kDayMs));
    }
    constexpr std::string_view kMerged = "],\"merged\":";
    if (const auto at = text.rfind(kMerged); at != std::string_view::npos) {
        std::uint64_t merged = 0;
        std::from_chars(text.data() + at + kMerged.size(), text.data() + text.size(), merged);
        merged_ += merged;
    }
    if (text.starts_with("{\"caught_up\"")) ++catch_ups_;
}

}  // namespace rouse::storm
