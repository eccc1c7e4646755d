#include "mgmt/ims/http_transfers.hpp"

#include "shared/clock.hpp"
#include "shared/miss.hpp"

#include <string>
#include <variant>

namespace rouse::ims {
namespace {

Event event_about(EventKind kind, const HttpTransfers::Client& client, std::string_view name) {
    Event event;
    event.time_ns = realtime_ns();
    event.kind = kind;
    event.mac = client.mac;
    event.address = client.address;
    event.set_text(name);
    return event;
}

std::uint64_t length_of(const http::Response& response) {
    if (const auto* range = std::get_if<http::FileRange>(&response.body)) return range->length;
    const auto* text = std::get_if<std::string>(&response.body);
    return text == nullptr ? 0 : text->size();
}

HttpPart part_of(const http::Response& response) {
    const auto* range = std::get_if<http::FileRange>(&response.body);
    if (response.status != http::Status::partial_content || range == nullptr) return HttpPart::whole;
    // "bytes FIRST-LAST/SIZE": it goes on to the end.
    const std::string end = std::to_string(range->offset + range->length - 1) + "/" +
                            std::to_string(range->offset + range->length);
    return response.headers.get("Content-Range").ends_with("-" + end) ? HttpPart::rest : HttpPart::part;
}

}  // namespace

void HttpTransfers::follow(const Client& client, std::string_view name, http::Response& response) {
    if (response.status == http::Status::not_modified) return;
    Event event = event_about(EventKind::http_request, client, name);
    event.bytes = length_of(response);
    event.detail = static_cast<std::uint16_t>(part_of(response));
    ++statistics_.open;
    consumer_->report(event);
    response.on_end = [this, event, began = monotonic_ns()](const http::Delivery& delivery) {
        ended(event, began, delivery);
    };
}

void HttpTransfers::ended(Event event, std::uint64_t began_ns, const http::Delivery& delivery) {
    --statistics_.open;
    statistics_.bytes += delivery.bytes;
    ++(delivery.complete ? statistics_.complete : statistics_.failed);
    event.time_ns = realtime_ns();
    event.kind = delivery.complete ? EventKind::http_complete : EventKind::http_failed;
    if (!delivery.complete) event.detail = static_cast<std::uint16_t>(TransferFailure::closed);
    event.bytes = delivery.bytes;
    event.duration_ns = monotonic_ns() - began_ns;
    consumer_->report(event);
}

void HttpTransfers::probed(const Client& client, std::string_view name, const http::Response& response) {
    if (response.status == http::Status::not_modified) return;
    Event event = event_about(EventKind::http_probe, client, name);
    event.bytes = length_of(response);
    consumer_->report(event);
}

void HttpTransfers::missed(const Client& client, std::string_view name) {
    const MissKind kind = classify_miss(name);
    ++(kind == MissKind::real ? statistics_.missing : statistics_.expected_misses);
    Event event = event_about(EventKind::http_missing, client, name);
    event.detail = static_cast<std::uint16_t>(kind);
    consumer_->report(event);
}

}  // namespace rouse::ims
