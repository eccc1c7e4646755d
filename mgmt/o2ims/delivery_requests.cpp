// How Delivery talks to subscribers.

#include "mgmt/http/hmac.hpp"
#include "mgmt/o2ims/backoff.hpp"
#include "mgmt/o2ims/delivery.hpp"
#include "mgmt/o2ims/delivery_lane.hpp"
#include "shared/clock.hpp"

#include <array>
#include <string>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace rouse::o2ims {

namespace {

constexpr long kConnectSeconds = 5;
constexpr long kAnswerSeconds = 10;
constexpr unsigned kRefusals = 5;  // of one notification, until it is given up
constexpr long kUnauthorized = 401;

std::size_t ignore_body(char*, std::size_t, std::size_t size, void*) {
    return size;
}

// Says that this notification will never be taken: to say it again later helps nobody.
bool is_final(long status) {
    return status == 400 || status == 405 || status == 413 || status == 415 || status == 422;
}

std::string with_consumer(const std::string& consumer, const std::string& body) {
    if (consumer.empty()) return body;
    const std::string member = "{\"consumerSubscriptionId\":" + nlohmann::json(consumer).dump();
    return member + (body == "{}" ? "}" : "," + body.substr(1));
}

std::string authorization(const web::BearerToken& token) {
    return "Authorization: Bearer " + token.text;
}

// Logs it, unless it is as it was the last time.
void complain(const std::string& callback, std::string& told, const std::string& why) {
    if (why == told) return;
    spdlog::warn("subscriber {} cannot be told: {}; trying again", callback, why);
    told = why;
}

}  // namespace

// What every request to a subscriber has. Where we do not trust it, it is from nobody in particular.
void Delivery::begin_request(CURL* easy, const std::string& callback, long total_seconds,
                             bool is_trusted) const {
    web::begin_request(easy, callback, kConnectSeconds, total_seconds);
    web::TlsFiles tls = options_.tls;
    if (!is_trusted) tls.certificate.clear();
    web::use_tls(easy, tls);
    options_.policy.guard(easy);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_body);
}

Result<void> Delivery::probe(const std::string& callback) const {
    const web::Easy easy = web::make_easy();
    if (!easy) return fail("libcurl could not be initialised");
    const bool is_trusted = options_.policy.trusts(callback);
    begin_request(easy.get(), callback, kConnectSeconds, is_trusted);
    web::HeaderFields fields;
    if (is_trusted && options_.token)
        if (const auto token = options_.token(); token && !token->text.empty())
            fields.add(authorization(*token));
    std::array<char, CURL_ERROR_SIZE> why{};
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, fields.get());
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, why.data());
    const CURLcode result = curl_easy_perform(easy.get());
    if (result != CURLE_OK)
        return fail("cannot be reached: " +
                    std::string(why[0] != '\0' ? why.data() : curl_easy_strerror(result)));
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return {};
    return fail("answers a GET with " + std::to_string(status) + " and not with 204");
}

void Delivery::advance(Lane& lane, std::uint64_t now_ns) {
    if (lane.is_busy || lane.queue.empty() || lane.due_ns > now_ns) return;
    send(lane);
}

void Delivery::send(Lane& lane) {
    if (!lane.forbidden.empty()) return put_off(lane, lane.forbidden);
    const Notification& notification = lane.queue.front().notification;
    CURL* easy = lane.easy.get();
    lane.fields.clear();
    if (!authorise(lane)) return;
    lane.body = with_consumer(lane.consumer, notification.body);
    lane.fields.add("Content-Type: application/json");
    lane.fields.add("Expect:");  // no pause before bodies
    sign(lane, notification);
    begin_request(easy, lane.callback, kAnswerSeconds, lane.is_trusted);
    lane.why[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, lane.why.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(lane.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, lane.body.data());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lane.fields.get());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &lane);
    lane.is_busy = curl_multi_add_handle(multi_.get(), easy) == CURLM_OK;
    if (!lane.is_busy) put_off(lane, "libcurl does not take the request");
}

// Adds the token to the request. False: there is none that the subscriber would take, and it has to wait,
// which is no failure of its own.
bool Delivery::authorise(Lane& lane) {
    lane.token = 0;
    if (!lane.is_trusted || !options_.token) return true;
    const auto token = options_.token();
    if (token && token->text.empty()) return true;
    if (!token || token->number == lane.refused_token) {
        lane.due_ns = monotonic_ns() + kSleepMs * kNanosPerMilli;
        complain(lane.callback, lane.told_why,
                 token ? "it refuses the token, and there is no other yet" : "there is no token for it yet");
        return false;
    }
    lane.token = token->number;
    lane.fields.add(authorization(*token));
    return true;
}

void Delivery::sign(Lane& lane, const Notification& notification) {
    lane.fields.add("X-O2IMS-Event-Type: " + notification.kind);
    if (options_.secret.empty()) return;
    const std::string time = std::to_string(realtime_ns() / kNanosPerSecond);
    lane.fields.add("X-O2IMS-Timestamp: " + time);
    lane.fields.add("X-O2IMS-Signature: " + http::hmac_sha256_hex(options_.secret, time + "." + lane.body));
}

void Delivery::finish_requests() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        Lane* lane = nullptr;
        const CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &lane);
        drop(*lane);
        settle(*lane, result);
        // The next one leaves at once, on the same connection.
        advance(*lane, monotonic_ns());
    }
}

void Delivery::settle(Lane& lane, CURLcode result) {
    long status = 0;
    if (result == CURLE_OK) curl_easy_getinfo(lane.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        ++statistics_.delivered;
        if (!lane.told_why.empty()) spdlog::info("subscriber {} takes notifications again", lane.callback);
        lane.told_why.clear();
        lane.is_overrun = false;
        return come_past(lane);
    }
    if (status == kUnauthorized && lane.token != 0 && options_.renew_token && !lane.has_renewed)
        return renew_token(lane);
    if (is_final(status) && ++lane.refusals >= kRefusals) {
        spdlog::warn("subscriber {} refuses a notification with {}; it is dropped", lane.callback, status);
        ++statistics_.dropped;
        return come_past(lane);
    }
    const char* why = lane.why[0] != '\0' ? lane.why.data() : curl_easy_strerror(result);
    put_off(lane, result == CURLE_OK ? "it answers " + std::to_string(status) : why);
}

// The first in the queue is done with.
void Delivery::come_past(Lane& lane) {
    lane.failures = lane.refusals = 0;
    lane.has_renewed = false;
    lane.due_ns = 0;
    lane.position = lane.queue.front().number;
    lane.queue.pop_front();
    if (lane.queue.empty()) lane.position = lane.read_to;
    ++unnoted_;
}

// Once, before it counts as a failure. Others may go on with the token that this one has refused.
void Delivery::renew_token(Lane& lane) {
    lane.has_renewed = true;
    lane.refused_token = lane.token;
    lane.due_ns = 0;
    options_.renew_token(lane.token);
}

void Delivery::put_off(Lane& lane, const std::string& why) {
    ++statistics_.retried;
    lane.has_renewed = false;
    lane.due_ns = monotonic_ns() + backoff_ns(options_.first_retry, options_.longest_retry, lane.failures);
    ++lane.failures;
    // Meanwhile the log keeps the others.
    lane.queue.erase(lane.queue.begin() + 1, lane.queue.end());
    lane.read_to = lane.queue.front().number;
    complain(lane.callback, lane.told_why, why);
}

}  // namespace rouse::o2ims
