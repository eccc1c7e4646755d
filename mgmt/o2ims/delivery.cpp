#include "mgmt/o2ims/delivery.hpp"

#include "mgmt/http/hmac.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace rouse::o2ims {

using store::Id;

namespace {

constexpr long kConnectSeconds = 5;
constexpr long kAnswerSeconds = 10;
constexpr int kSleepMs = 250;              // at most; whoever appends wakes us
constexpr std::size_t kFillEntries = 256;  // of a lane in memory
constexpr std::size_t kFillBytes = 1 << 20;
constexpr std::uint64_t kNoteEveryNs = 100 * kNanosPerMilli;
constexpr std::uint64_t kNoteEverySteps = 2000;
constexpr unsigned kRefusals = 5;  // of one notification, until it is given up

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

}  // namespace

struct Delivery::Lane {
    Id id;
    std::string service, callback, consumer;
    Excludes excludes;
    web::Easy easy = web::make_easy();
    web::HeaderFields fields;
    std::array<char, CURL_ERROR_SIZE> why{};
    std::string body;                      // that is under way
    std::deque<LoggedNotification> queue;  // the first is the one that is told now
    std::uint64_t position = 0;            // told, or not for it, up to this number
    std::uint64_t read_to = 0;             // the queue holds what is to be told up to this number
    std::uint64_t noted = 0;               // position as it is stored
    bool is_busy = false;
    bool is_sent_with_token = false;
    unsigned failures = 0;     // in a row
    unsigned refusals = 0;     // of the first in the queue
    std::uint64_t due_ns = 0;  // monotonic; not before
    std::string told_why;      // of the last failure that was logged
};

Delivery::Delivery(store::Writer& writer, OutboxTables tables, DeliveryOptions options)
    : writer_(&writer), tables_(tables), options_(std::move(options)) {
    const web::Easy initialised = web::make_easy();
    multi_.reset(curl_multi_init());
}

Delivery::~Delivery() {
    stop();
}

void Delivery::add_language(std::string service, FilterLanguage language) {
    languages_[std::move(service)] = std::move(language);
}

const FilterLanguage* Delivery::language(const std::string& service) const {
    const auto found = languages_.find(service);
    return found == languages_.end() ? nullptr : &found->second;
}

void Delivery::start() {
    changes_ = writer_->changes().subscribe([this](std::span<const store::Change> changes) {
        const bool ours = std::any_of(changes.begin(), changes.end(), [](const store::Change& change) {
            return change.kind == store::Kind::subscription;
        });
        if (!ours) return;
        subscriptions_changed_ = true;
        wake();
    });
    thread_ = std::thread([this] { loop(); });
}

void Delivery::wake() noexcept {
    if (multi_) curl_multi_wakeup(multi_.get());
}

void Delivery::stop() {
    stopping_ = true;
    wake();
    if (!thread_.joinable()) return;
    thread_.join();
    changes_ = {};
    while (!lanes_.empty()) {
        drop(*lanes_.begin()->second);
        lanes_.erase(lanes_.begin());
    }
}

Result<void> Delivery::probe(const std::string& callback) const {
    const web::Easy easy = web::make_easy();
    if (!easy) return fail("libcurl could not be initialised");
    web::begin_request(easy.get(), callback, kConnectSeconds, kConnectSeconds);
    web::use_tls(easy.get(), options_.tls);
    options_.policy.guard(easy.get());
    std::array<char, CURL_ERROR_SIZE> why{};
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, why.data());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, ignore_body);
    const CURLcode result = curl_easy_perform(easy.get());
    if (result != CURLE_OK)
        return fail("cannot be reached: " +
                    std::string(why[0] != '\0' ? why.data() : curl_easy_strerror(result)));
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return {};
    return fail("answers a GET with " + std::to_string(status) + " and not with 204");
}

void Delivery::loop() {
    while (!stopping_) {
        if (subscriptions_changed_.exchange(false)) look_for_subscriptions();
        {
            const auto snapshot = writer_->store().snapshot();
            const auto last = snapshot ? last_number(*snapshot, tables_) : tl::unexpected(snapshot.error());
            if (last) last_ = *last;
            const std::uint64_t now = monotonic_ns();
            for (auto& [id, lane] : lanes_) {
                if (snapshot) fill(*lane, *snapshot);
                advance(*lane, now);
            }
        }
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        finish_requests();
        note_positions(false);
        count();
        curl_multi_poll(multi_.get(), nullptr, 0, idle_ms(), nullptr);
    }
    note_positions(true);
}

// Until something is due, if nothing comes in before.
int Delivery::idle_ms() const {
    std::uint64_t next = UINT64_MAX;
    for (const auto& [id, lane] : lanes_) {
        if (lane->is_busy) continue;
        if (!lane->queue.empty()) next = std::min(next, lane->due_ns);
        if (lane->queue.empty() && lane->read_to < last_) return 0;
    }
    const std::uint64_t now = monotonic_ns();
    const std::uint64_t until = next > now ? (next - now) / kNanosPerMilli + 1 : 0;
    return static_cast<int>(std::min<std::uint64_t>(until, kSleepMs));
}

// Those that are new begin, those that are gone end.
void Delivery::look_for_subscriptions() {
    const auto snapshot = writer_->store().snapshot();
    if (!snapshot) {
        subscriptions_changed_ = true;
        return;
    }
    std::map<Id, bool> there;
    const auto listed =
        store::for_each(*snapshot, store::kSubscriptions, std::nullopt, [&](const store::Document& one) {
            there[one.id] = true;
            if (!lanes_.contains(one.id)) take_up(one, *snapshot);
            return true;
        });
    if (!listed) {
        spdlog::error("subscriptions cannot be read: {}", listed.error().message);
        subscriptions_changed_ = true;
        return;
    }
    for (auto at = lanes_.begin(); at != lanes_.end();) {
        if (there.contains(at->first)) {
            ++at;
            continue;
        }
        drop(*at->second);
        at = lanes_.erase(at);
        ++unnoted_;  // nobody waits for what it was to be told
    }
    statistics_.subscriptions = lanes_.size();
}

void Delivery::take_up(const store::Document& subscription, const store::View& view) {
    auto lane = std::make_unique<Lane>();
    lane->id = subscription.id;
    lane->service = subscription.text("service");
    lane->callback = subscription.text("callback");
    lane->consumer = subscription.text("consumerSubscriptionId");
    if (const std::string filter = subscription.text("filter"); !filter.empty())
        if (const auto* language = this->language(lane->service)) {
            auto parsed = (*language)(filter);
            if (parsed)
                lane->excludes = std::move(*parsed);
            else
                spdlog::warn("subscription {} is told of everything: its filter {}", lane->id.to_string(),
                             parsed.error().detail);
        }
    const auto position = cursor_of(view, tables_, lane->id);
    lane->position = lane->read_to = lane->noted = position.value_or(0);
    if (!lane->easy) return;
    lanes_[subscription.id] = std::move(lane);
}

void Delivery::drop(Lane& lane) {
    if (lane.is_busy) curl_multi_remove_handle(multi_.get(), lane.easy.get());
    lane.is_busy = false;
}

void Delivery::fill(Lane& lane, const store::View& view) {
    if (!lane.queue.empty() || lane.read_to >= last_) return;
    std::size_t bytes = 0, read = 0;
    const auto filled = read_log(view, tables_, lane.read_to, [&](LoggedNotification logged) {
        if (logged.number > lane.read_to + 1) {
            const std::uint64_t lost = logged.number - lane.read_to - 1;
            statistics_.dropped += lost;
            spdlog::warn("subscriber {} was not there for so long that {} notifications were dropped",
                         lane.callback, lost);
        }
        lane.read_to = logged.number;
        const bool is_wanted = logged.notification.service == lane.service &&
                               !(lane.excludes && lane.excludes(logged.notification));
        if (is_wanted) {
            bytes += logged.notification.body.size();
            lane.queue.push_back(std::move(logged));
        }
        return ++read < kFillEntries && bytes < kFillBytes;
    });
    if (!filled) spdlog::error("the outbox cannot be read: {}", filled.error().message);
    if (!lane.queue.empty()) return;
    lane.position = lane.read_to;
    ++unnoted_;
}

void Delivery::advance(Lane& lane, std::uint64_t now_ns) {
    if (lane.is_busy || lane.queue.empty() || lane.due_ns > now_ns) return;
    send(lane);
}

void Delivery::send(Lane& lane) {
    const Notification& notification = lane.queue.front().notification;
    CURL* easy = lane.easy.get();
    lane.fields.clear();
    if (options_.token) {
        const auto token = options_.token();
        if (!token) return put_off(lane, "there is no token for it yet");
        if (!token->empty()) lane.fields.add("Authorization: Bearer " + *token);
    }
    lane.body = with_consumer(lane.consumer, notification.body);
    lane.fields.add("Content-Type: application/json");
    lane.fields.add("Expect:");  // no pause before bodies
    sign(lane, notification, lane.body);
    web::begin_request(easy, lane.callback, kConnectSeconds, kAnswerSeconds);
    web::use_tls(easy, options_.tls);
    options_.policy.guard(easy);
    lane.why[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, lane.why.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(lane.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, lane.body.data());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lane.fields.get());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_body);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &lane);
    lane.is_busy = curl_multi_add_handle(multi_.get(), easy) == CURLM_OK;
    if (!lane.is_busy) put_off(lane, "libcurl does not take the request");
}

void Delivery::sign(Lane& lane, const Notification& notification, const std::string& body) {
    lane.fields.add("X-O2IMS-Event-Type: " + notification.kind);
    if (options_.secret.empty()) return;
    const std::string time = std::to_string(realtime_ns() / kNanosPerSecond);
    lane.fields.add("X-O2IMS-Timestamp: " + time);
    lane.fields.add("X-O2IMS-Signature: " + http::hmac_sha256_hex(options_.secret, time + "." + body));
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
    curl_easy_getinfo(lane.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    const bool is_taken = result == CURLE_OK && status >= 200 && status < 300;
    const bool is_refused = result == CURLE_OK && is_final(status) && ++lane.refusals >= kRefusals;
    if (!is_taken && !is_refused) {
        const char* why = lane.why[0] != '\0' ? lane.why.data() : curl_easy_strerror(result);
        return put_off(lane, result == CURLE_OK ? "it answers " + std::to_string(status) : why);
    }
    if (is_refused) {
        spdlog::warn("subscriber {} refuses a notification with {}; it is dropped", lane.callback, status);
        ++statistics_.dropped;
    } else {
        ++statistics_.delivered;
    }
    if (!lane.told_why.empty()) spdlog::info("subscriber {} takes notifications again", lane.callback);
    lane.told_why.clear();
    lane.failures = lane.refusals = 0;
    lane.due_ns = 0;
    lane.position = lane.queue.front().number;
    lane.queue.pop_front();
    if (lane.queue.empty()) lane.position = lane.read_to;
    ++unnoted_;
}

void Delivery::put_off(Lane& lane, const std::string& why) {
    ++statistics_.retried;
    const auto first = static_cast<std::uint64_t>(options_.first_retry.count());
    const auto longest = static_cast<std::uint64_t>(options_.longest_retry.count());
    const std::uint64_t pause = std::min(longest, first << std::min(lane.failures, 20U));
    ++lane.failures;
    // Between three and five quarters, so that not all come back at the same moment.
    thread_local std::minstd_rand random{std::random_device{}()};
    const std::uint64_t quarter = pause / 4;
    const std::uint64_t millis =
        pause - quarter + std::uniform_int_distribution<std::uint64_t>(0, 2 * quarter)(random);
    lane.due_ns = monotonic_ns() + millis * kNanosPerMilli;
    if (why == lane.told_why) return;
    spdlog::warn("subscriber {} cannot be told: {}; trying again", lane.callback, why);
    lane.told_why = why;
}

void Delivery::note_positions(bool is_last) {
    const std::uint64_t now = monotonic_ns();
    if (unnoted_ == 0) return;
    if (!is_last && unnoted_ < kNoteEverySteps && now - noted_ns_ < kNoteEveryNs) return;
    std::vector<CursorAt> moved;
    for (auto& [id, lane] : lanes_)
        if (std::exchange(lane->noted, lane->position) != lane->position)
            moved.push_back({id, lane->position});
    unnoted_ = 0;
    noted_ns_ = now;
    auto note = [tables = tables_, moved = std::move(moved)](store::Batch& batch) {
        return move_cursors(batch, tables, moved);
    };
    const auto complain = [](const Result<void>& noted) {
        if (!noted) spdlog::error("how far subscribers were told cannot be noted: {}", noted.error().message);
    };
    if (is_last)
        complain(writer_->run(std::move(note)));
    else
        writer_->post(std::move(note), complain);
}

void Delivery::count() {
    std::uint64_t waiting = 0, oldest = 0;
    for (const auto& [id, lane] : lanes_) {
        waiting += last_ - std::min(last_, lane->position);
        if (lane->queue.empty()) continue;
        const std::uint64_t time = lane->queue.front().time_ns;
        oldest = oldest == 0 ? time : std::min(oldest, time);
    }
    statistics_.waiting = waiting;
    statistics_.oldest_ns = oldest;
}

}  // namespace rouse::o2ims
