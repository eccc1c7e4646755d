// Any bytes as what a client sends on one connection, in pieces: connection, parser and router with every
// kind of route, and a WebSocket. Whatever comes, what goes back is nothing, or well-formed HTTP and frames,
// and the connection ends.
//
// The first byte says how the bytes are cut, the rest are they.

#include "mgmt/http/connection.hpp"
#include "mgmt/http/router.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/http/web_socket.hpp"

#include <cstdlib>
#include <cstring>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace rouse::http;  // NOLINT(google-build-using-namespace): the whole file is about it

void require(bool truth) {
    if (!truth) std::abort();
}

const Schema& inner() {
    static const Schema schema("Inner", "Inside",
                               {mac("mac", "an address").required(), any("what", "anything")});
    return schema;
}

const Schema& outer() {
    static const Schema schema(
        "Outer", "Every type",
        {uuid("id", "its id").read_only(), string("name", "its name").length(1, 20).required(),
         integer("count", "how many").range(-3, 1000), number("share", "a part").range(0, 1),
         boolean("flag", "or not").default_to(false), ipv4("ip", "an address"), prefix("cidr", "a network"),
         timestamp("at", "when"), choice("word", "one of", {"one", "two"}),
         array(object("inner", "more", inner())), map("by_key", "names", {}, string("value", "a value"))});
    return schema;
}

asio::awaitable<Outcome> echo(Request& request) {
    std::string text;
    std::array<std::byte, 64> chunk;
    for (;;) {
        const auto n = co_await request.read_some(chunk);
        if (!n) co_return tl::unexpected(n.error());
        if (*n == 0) break;
        text.append(reinterpret_cast<const char*>(chunk.data()), *n);
    }
    co_return Response::stream(
        [text](ResponseStream& stream) -> asio::awaitable<void> {
            for (std::size_t at = 0; at < text.size(); at += 100)
                if (!co_await stream.write(std::string_view(text).substr(at, 100))) co_return;
        },
        "application/octet-stream");
}

// Sends back each message, until one is empty.
asio::awaitable<void> converse(WebSocket& socket) {
    while (const auto message = co_await socket.read()) {
        require(is_utf8(*message) && message->size() <= WebSocket::kMaxMessage);
        if (message->empty()) co_return co_await socket.close(1000, "enough");
        if (!co_await socket.write(*message)) co_return;
    }
}

Router make_router() {
    Router router;
    router.limit_json_body(4096);
    router.authenticate_with([](const Request& request) -> OrProblem<Principal> {
        if (request.headers.get("Authorization").empty()) return problem(Status::unauthorized, "log in");
        return Principal{"fuzzer", Role::operator_};
    });
    const auto echo_json = [](Request& request) -> Outcome { return Response::json(request.json()); };
    for (const BodyKind body : {BodyKind::json, BodyKind::patch})
        router.add({.method = body == BodyKind::json ? Method::post : Method::patch,
                    .pattern = "/things/{id}/",
                    .access = Access::anyone(),
                    .body = body,
                    .request = &outer()},
                   echo_json);
    router.add({.method = Method::put, .pattern = "/files/{name...}", .body = BodyKind::stream},
               Handler(echo));
    router.add({.pattern = "/things/{id}", .access = Access::anyone()}, [](Request& request) -> Outcome {
        auto out = Response::text(request.parameter("id") + request.query.raw());
        for (const auto& [name, value] : request.query.pairs()) require(is_utf8(name) && is_utf8(value));
        require(is_utf8(request.parameter("id")) && !request.parameter("id").empty());
        return out;
    });
    router.add(
        {.method = Method::delete_, .pattern = "/things/{id}", .access = Access::of(Role::administrator)},
        [](Request&) -> Outcome { return Response::no_content(); });
    router.add({.pattern = "/live", .access = Access::anyone()}, [](Request& request) -> Outcome {
        if (!asks_for_web_socket(request)) return problem(Status::bad_request, "a WebSocket is needed here");
        return accept_web_socket(request, [](WebSocket& socket) { return converse(socket); });
    });
    return router;
}

struct Context final : ConnectionContext {
    using ConnectionContext::ConnectionContext;
    void closed(const AnyConnection&) override { ended = true; }
    bool ended = false;
};

// Frames as a server may send them (RFC 6455 5.2): whole, not masked, of the shortest form.
void check_frames(std::string_view bytes) {
    const auto byte = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes.at(i)); };
    while (!bytes.empty()) {
        const auto opcode = byte(0);
        require(opcode == 0x81 || opcode == 0x88 || opcode == 0x89 || opcode == 0x8a);
        std::uint64_t length = byte(1);
        require(length < 128);
        std::size_t head = 2;
        if (length >= 126) {
            head = length == 126 ? 4 : 10;
            length = 0;
            for (std::size_t i = 2; i < head; ++i) length = length << 8 | byte(i);
            require(length > (head == 4 ? 125U : 0xffffU));
        }
        require(length <= WebSocket::kMaxMessage && bytes.size() >= head + length);
        bytes.remove_prefix(head + static_cast<std::size_t>(length));
    }
}

// All that the connection answered is one response after the other. Methods are not known here: what follows
// the header of an answer to HEAD, or a chunked one, is taken for the rest.
void check_answers(std::string_view text) {
    while (!text.empty()) {
        if (text.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) {
            text.remove_prefix(25);
            continue;
        }
        require(text.starts_with("HTTP/1.1 ") || text.starts_with("HTTP/1.0 "));
        const auto head = text.find("\r\n\r\n");
        require(head != std::string_view::npos);
        const auto code = text.substr(9, 3);
        if (code == "101") return check_frames(text.substr(head + 4));
        require(code >= "200" && code < "600" && code != "500");
        const auto length = text.substr(0, head).find("\r\nContent-Length: ");
        if (length == std::string_view::npos) return;
        const auto bytes = std::strtoull(text.data() + length + 18, nullptr, 10);
        text.remove_prefix(std::min<std::size_t>(head + 4 + bytes, text.size()));
        // HEAD's answer announces a body that does not come.
        if (!text.empty() && !text.starts_with("HTTP/1.")) return;
    }
}

std::string talk(const Router& router, std::uint8_t cut, std::string_view bytes) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    asio::io_context io(1);
    auto context = std::make_shared<Context>(ListenerOptions{.name = "fuzz"}, router);
    {
        TcpSocket socket(asio::make_strand(io));
        socket.assign(asio::ip::tcp::v4(), ends[0]);
        auto connection = std::make_shared<Connection<TcpSocket>>(std::move(socket), context,
                                                                  *rouse::Ipv4Address::parse("10.77.9.9"));
        connection->start();
    }
    std::string answers;
    std::array<char, 4096> buffer;
    const std::size_t piece = cut == 0 ? bytes.size() + 1 : cut;
    bool finished = false;
    // Each turn gives the connection a piece or takes an answer; the bound is far beyond what any input
    // needs.
    for (std::size_t turn = 0; turn < 4 * bytes.size() + 10'000 && !context->ended; ++turn) {
        if (!bytes.empty()) {
            const ssize_t n = ::send(ends[1], bytes.data(), std::min(piece, bytes.size()), MSG_NOSIGNAL);
            if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
            if (n < 0 && errno != EAGAIN) bytes = {};
        } else if (!std::exchange(finished, true)) {
            ::shutdown(ends[1], SHUT_WR);
        }
        io.poll();
        io.restart();
        for (ssize_t n = 0; (n = ::recv(ends[1], buffer.data(), buffer.size(), 0)) > 0;)
            answers.append(buffer.data(), static_cast<std::size_t>(n));
    }
    require(context->ended);
    ::close(ends[1]);
    return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Router router = [] {
        spdlog::set_level(spdlog::level::off);
        return make_router();
    }();
    if (size == 0) return 0;
    check_answers(talk(router, data[0], {reinterpret_cast<const char*>(data) + 1, size - 1}));
    return 0;
}
