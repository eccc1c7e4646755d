#include "tests/unit/http/client.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::http {
namespace {

void set_time_limit(int socket, int seconds) {
    const timeval limit{seconds, 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

}  // namespace

Client::Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect");
    set_time_limit(socket_, 10);
}

Client::~Client() {
    ::close(socket_);
}

bool Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool Client::fill() {
    std::array<char, 65536> chunk;
    const ssize_t n = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (n > 0) received_.append(chunk.data(), static_cast<std::size_t>(n));
    return n > 0;
}

std::string Client::take(std::size_t bytes) {
    while (received_.size() < bytes && fill()) {
    }
    std::string out = received_.substr(0, bytes);
    received_.erase(0, out.size());
    return out;
}

std::optional<std::string> Client::take_through(std::string_view end) {
    for (;;) {
        if (const auto at = received_.find(end); at != std::string::npos) return take(at + end.size());
        if (!fill()) return std::nullopt;
    }
}

std::string Client::take_chunks() {
    std::string out;
    for (;;) {
        const auto line = take_through("\r\n");
        if (!line) return out + "<cut>";
        const std::size_t size = std::stoul(*line, nullptr, 16);
        out += take(size);
        if (!take_through("\r\n")) return out + "<cut>";
        if (size == 0) return out;
    }
}

Answer Client::receive(bool head) {
    Answer answer;
    const auto header = take_through("\r\n\r\n");
    if (!header) return answer;
    answer.header = *header;
    std::transform(answer.header.begin(), answer.header.end(), answer.header.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.status = std::stoi(answer.header.substr(9, 3));
    if (head || answer.status == 100 || answer.status == 204) return answer;
    constexpr std::string_view kLength = "content-length: ";
    if (const auto at = answer.header.find(kLength); at != std::string::npos)
        answer.body = take(std::stoul(answer.header.substr(at + kLength.size())));
    else if (answer.has("transfer-encoding: chunked"))
        answer.body = take_chunks();
    else
        while (fill()) answer.body = received_;
    return answer;
}

Answer Client::get(std::string_view path, std::string_view fields) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) + "\r\n");
    return receive();
}

bool Client::is_closed(int seconds) {
    set_time_limit(socket_, seconds);
    std::array<char, 65536> chunk;
    ssize_t n = 1;
    while (n > 0) n = ::recv(socket_, chunk.data(), chunk.size(), 0);
    set_time_limit(socket_, 10);
    return n == 0 || errno == ECONNRESET;
}

void Client::shut_down_sending() {
    ::shutdown(socket_, SHUT_WR);
}

void Client::reset() {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket_);
    socket_ = -1;
}

}  // namespace rouse::http
