#pragma once
// Tells subscribers what the outbox holds, from a thread of its own: to each its notifications one after the
// other in their order, over a connection that stays; a subscriber that is slow or not there holds up nobody
// else. What was not taken is sent again, after a while that doubles, with the same notificationId; how far
// each was told is stored in groups, so that after a crash a few are told again (at least once). What the log
// had to forget before a subscriber was told of it is counted at once.

#include "mgmt/o2ims/callback_policy.hpp"
#include "mgmt/o2ims/subscription_filter.hpp"
#include "mgmt/store/change_hub.hpp"
#include "mgmt/store/writer.hpp"
#include "mgmt/web_client/curl.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace rouse::o2ims {

struct DeliveryOptions {
    CallbackPolicy policy = {};
    web::TlsFiles tls = {};
    std::string secret = {};  // signs each notification (HMAC-SHA256); empty: none is signed
    // The bearer token that is shown to whom POLICY trusts, as TLS's certificate is; nothing: not at hand
    // yet. Does not wait.
    std::function<std::optional<web::BearerToken>()> token = {};
    // A subscriber has refused the token of this NUMBER with a 401: another one is wanted. Does not wait.
    std::function<void(std::uint64_t number)> renew_token = {};
    std::chrono::milliseconds first_retry{1000};
    std::chrono::milliseconds longest_retry{300'000};
};

class Delivery {
  public:
    // Read by /metrics at any time.
    struct Statistics {
        std::atomic<std::uint64_t> subscriptions{0};
        std::atomic<std::uint64_t> delivered{0};
        std::atomic<std::uint64_t> retried{0};  // attempts that failed
        std::atomic<std::uint64_t> dropped{0};  // went unsaid: too many waited, or refused for good
        std::atomic<std::uint64_t> waiting{0};  // log entries that subscriptions have not come past, together
        std::atomic<std::uint64_t> oldest_ns{0};  // CLOCK_REALTIME of the oldest that waits; 0: none
    };

    // WRITER outlives this.
    Delivery(store::Writer& writer, OutboxTables tables, DeliveryOptions options);
    ~Delivery();  // like stop()
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    // Before start(): how filters of SERVICE's subscriptions read. Without: as nothing.
    void add_language(std::string service, FilterLanguage language);
    // Null: SERVICE has none.
    [[nodiscard]] const FilterLanguage* language(const std::string& service) const;
    void start();
    // Any thread: there may be something new in the outbox. Returns at once.
    void wake() noexcept;
    // Within a second; notes how far it came.
    void stop();

    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }
    [[nodiscard]] const OutboxTables& tables() const noexcept { return tables_; }
    [[nodiscard]] const DeliveryOptions& options() const noexcept { return options_; }
    // One GET, as a test of whether a subscriber is there: blocking, 5 s at most. Any thread.
    [[nodiscard]] Result<void> probe(const std::string& callback) const;

  private:
    struct Lane;
    struct MultiCleanup {
        void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
    };

    // delivery.cpp: whom to tell what
    void loop();
    [[nodiscard]] int idle_ms() const;
    void read_if_due();
    [[nodiscard]] Result<void> read();
    [[nodiscard]] Result<void> look_for_subscriptions(const store::View& view);
    [[nodiscard]] Result<void> take_up(const store::Document& subscription, const store::View& view);
    void read_filter(Lane& lane) const;
    void drop(Lane& lane);
    [[nodiscard]] Result<void> fill(Lane& lane, const store::View& view);
    void forget(Lane& lane, std::uint64_t first);
    void miss(Lane& lane, std::uint64_t lost);
    void note_positions(bool is_last);
    void count();
    // delivery_requests.cpp: how it gets there
    void advance(Lane& lane, std::uint64_t now_ns);
    void send(Lane& lane);
    void begin_request(CURL* easy, const std::string& callback, long total_seconds, bool is_trusted) const;
    [[nodiscard]] bool authorise(Lane& lane);
    void sign(Lane& lane, const Notification& notification);
    void finish_requests();
    void settle(Lane& lane, CURLcode result);
    void come_past(Lane& lane);
    void renew_token(Lane& lane);
    void put_off(Lane& lane, const std::string& why);

    store::Writer* writer_;
    OutboxTables tables_;
    DeliveryOptions options_;
    std::map<std::string, FilterLanguage> languages_;
    Statistics statistics_;
    std::unique_ptr<CURLM, MultiCleanup> multi_;
    std::map<store::Id, std::unique_ptr<Lane>> lanes_;  // the thread's
    std::uint64_t last_ = 0;                            // of the log
    unsigned unreadable_ = 0;                           // times in a row that the store could not be read
    std::uint64_t read_due_ns_ = 0;                     // monotonic; not before
    std::uint64_t noted_ns_ = 0;                        // monotonic, when positions were last stored
    std::uint64_t unnoted_ = 0;                         // steps since
    // Whether they could not be stored the last time; the writer tells it, maybe after our end.
    std::shared_ptr<std::atomic<bool>> is_unnoted_ = std::make_shared<std::atomic<bool>>(false);
    std::atomic<bool> stopping_{false};
    std::atomic<bool> subscriptions_changed_{true};
    store::ChangeHub::Subscription changes_;
    std::thread thread_;
};

}  // namespace rouse::o2ims
