#include "mgmt/ims/live_events.hpp"

#include "mgmt/http/schema.hpp"
#include "mgmt/http/stream_tickets.hpp"
#include "mgmt/http/token_expiry.hpp"
#include "mgmt/http/web_socket.hpp"
#include "mgmt/live/sinks.hpp"

#include <charconv>
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

namespace rouse::ims {
namespace {

using http::Status;
namespace asio = boost::asio;

constexpr std::string_view kPath = "/api/events/";
constexpr std::string_view kProtocol = "rouse.events";
constexpr std::string_view kBearer = "bearer.";

using Tickets = std::shared_ptr<http::StreamTickets>;

const http::Schema kTicket("StreamTicket", "Opens one live stream, where no header can be sent",
                           {
                               http::string("ticket", "for ?ticket= of /api/events/, once").read_only(),
                               http::integer("expires_in", "seconds in which it must be used").read_only(),
                           });

// The entries of Sec-WebSocket-Protocol: "rouse.events, bearer.<access token>".
std::string_view offered_token(const http::Request& request) {
    std::string_view rest = request.headers.get("Sec-WebSocket-Protocol");
    while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        auto item = rest.substr(0, comma);
        while (item.starts_with(' ')) item.remove_prefix(1);
        while (item.ends_with(' ')) item.remove_suffix(1);
        if (item.starts_with(kBearer)) return item.substr(kBearer.size());
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return {};
}

std::optional<std::string> ticket_of(const http::Request& request) {
    const auto ticket = request.query.find("ticket");
    return ticket ? std::optional<std::string>(*ticket) : std::nullopt;
}

http::OrProblem<http::Principal> authenticate(const http::Request& request, const http::Authenticator& others,
                                              http::StreamTickets& tickets) {
    const bool is_stream = request.route != nullptr && request.route->pattern == kPath;
    if (!is_stream || request.headers.find("Authorization")) return others(request);
    if (const auto ticket = ticket_of(request)) {
        auto principal = tickets.spend(*ticket, http::StreamTickets::Time::clock::now());
        if (!principal)
            return http::problem(Status::unauthorized,
                                 "this ticket was used already, or is too old; POST /api/events/ticket/ "
                                 "gives a new one");
        return std::move(*principal);
    }
    if (const auto token = offered_token(request); !token.empty()) {
        http::Request bearer;
        bearer.peer = request.peer;
        bearer.certificate = request.certificate;
        bearer.headers.add("Authorization", "Bearer " + std::string(token));
        return others(bearer);
    }
    return others(request);
}

std::optional<std::int64_t> expiry_of(const http::Request& request, http::StreamTickets& tickets) {
    constexpr std::string_view kScheme = "Bearer ";
    if (const auto header = request.headers.get("Authorization"); header.size() > kScheme.size())
        return http::token_expiry(header.substr(kScheme.size()));
    if (const auto ticket = ticket_of(request)) return tickets.take_expiry(*ticket);
    return http::token_expiry(offered_token(request));
}

// Where the client left off: what a browser sends when it connects again wins over what its URL says.
http::OrProblem<std::optional<std::uint64_t>> after_of(const http::Request& request) {
    if (const auto header = request.headers.find("Last-Event-ID"); header && !header->empty()) {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), value);
        if (error != std::errc{} || end != header->data() + header->size())
            return http::problem(Status::bad_request, "Last-Event-ID must be a sequence number");
        return std::optional(value);
    }
    if (!request.query.has("after")) return std::optional<std::uint64_t>();
    const auto after = request.query.integer("after", 0, 0, INT64_MAX);
    if (!after) return tl::unexpected(after.error());
    return std::optional(*after);
}

bool takes_event_stream(const http::Request& request) {
    const auto accept = request.headers.get("Accept");
    for (const auto* type : {"text/event-stream", "text/*", "*/*"})
        if (accept.find(type) != std::string_view::npos) return true;
    return accept.empty();
}

http::Outcome too_many() {
    http::Problem problem{Status::service_unavailable,
                          "there are as many live streams as the appliance carries (" +
                              std::to_string(live::Hub::kMaxFollowers) + "); try again later",
                          {},
                          {}};
    problem.headers.add("Retry-After", "10");
    return tl::unexpected(std::move(problem));
}

asio::awaitable<http::Outcome> stream(live::Hub& hub, const Tickets& tickets, const http::Request& request) {
    const auto expires = expiry_of(request, *tickets);
    auto filter = live::Filter::parse(request.query);
    if (!filter) co_return tl::unexpected(filter.error());
    const auto after = after_of(request);
    if (!after) co_return tl::unexpected(after.error());
    const bool is_web_socket = http::asks_for_web_socket(request);
    if (!is_web_socket && !takes_event_stream(request))
        co_return http::problem(Status::not_acceptable,
                                "live events come by WebSocket or as text/event-stream");
    auto waker = std::make_shared<live::Waker>(co_await asio::this_coro::executor);
    const std::function<void()> wake = [weak = std::weak_ptr(waker)] {
        if (const auto alive = weak.lock()) alive->wake();
    };
    auto joined = hub.follow(*after, wake);
    if (!joined) co_return http::problem(Status::service_unavailable, joined.error().message);
    if (!*joined) co_return too_many();
    const auto session = std::make_shared<live::Session>(hub, std::move(**joined), std::move(waker),
                                                         std::move(*filter), expires);
    if (is_web_socket) {
        auto accepted = http::accept_web_socket(
            request, [session](http::WebSocket& socket) { return live::run(*session, socket); });
        if (accepted && !request.headers.get("Sec-WebSocket-Protocol").empty())
            accepted->headers.add("Sec-WebSocket-Protocol", std::string(kProtocol));
        co_return accepted;
    }
    auto response = http::Response::stream(
        [session](http::ResponseStream& to) { return live::run(*session, to); }, "text/event-stream");
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("X-Accel-Buffering", "no");  // nginx would hold events back
    co_return response;
}

http::Outcome issue_ticket(http::StreamTickets& tickets, const http::Request& request) {
    const auto ticket = tickets.issue(*request.principal, expiry_of(request, tickets),
                                      http::StreamTickets::Time::clock::now());
    if (!ticket)
        return http::problem(Status::service_unavailable, "too many tickets wait to be used; try again");
    auto response =
        http::Response::json({{"ticket", *ticket}, {"expires_in", http::StreamTickets::kLife.count()}});
    response.headers.add("Cache-Control", "no-store");
    return response;
}

}  // namespace

void add_live_events(http::Router& router, live::Hub& hub) {
    const auto tickets = std::make_shared<http::StreamTickets>();
    router.authenticate_with([others = router.authenticator(), tickets](const http::Request& request) {
        return authenticate(request, others, *tickets);
    });
    router.add(
        {.method = http::Method::get,
         .pattern = std::string(kPath),
         .tag = "Observation",
         .summary = "What happens, as it happens: a WebSocket, or Server-Sent Events; of `kind`, `id`, "
                    "`cluster`, from the sequence `after` on",
         .answer_media = {"text/event-stream"}},
        http::Handler([&hub, tickets](http::Request& request) { return stream(hub, tickets, request); }));
    router.add({.method = http::Method::post,
                .pattern = std::string(kPath) + "ticket/",
                .tag = "Observation",
                .summary = "A one-time ticket that opens a live stream where no header can be sent",
                .response = &kTicket},
               [tickets](http::Request& request) { return issue_ticket(*tickets, request); });
}

}  // namespace rouse::ims
