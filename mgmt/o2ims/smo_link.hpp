#pragma once
// What we have to do with the SMO, from a thread of its own: it is told that this O-Cloud is there until it
// has taken that, and again when what it was told has changed; and a token is at hand for requests to it
// (OAuth2 client credentials, RFC 6749 4.4), fetched anew before it ends.

#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/o2ims/outbox.hpp"
#include "mgmt/store/writer.hpp"
#include "mgmt/web_client/curl.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// The two forms of OCloudAvailableNotification that are in the field (O2IMS 1.8).
enum class RegistrationForm : std::uint8_t { plain, starlingx };

struct SmoOptions {
    std::string url = {};  // where the O-Cloud registers; empty: nowhere
    RegistrationForm form = RegistrationForm::plain;
    web::TlsFiles tls = {};
    std::string token_url = {};  // empty: no token is needed
    std::string client_id = {}, client_secret = {}, scope = {};
    std::chrono::milliseconds first_retry{1000};
    std::chrono::milliseconds longest_retry{300'000};
};

class SmoLink {
  public:
    // WRITER outlives this.
    SmoLink(store::Writer& writer, OutboxTables tables, const Cloud& cloud, SmoOptions options);
    ~SmoLink();  // like stop()
    SmoLink(const SmoLink&) = delete;
    SmoLink& operator=(const SmoLink&) = delete;

    void start();
    void stop();

    // Any thread; does not wait. Nothing: it is not there yet.
    [[nodiscard]] std::optional<web::BearerToken> token();
    // Any thread; does not wait: the token of this NUMBER was refused, so another is fetched, unless that has
    // been done already, or fetching fails just now.
    void renew_token(std::uint64_t number);
    [[nodiscard]] bool is_registered() const noexcept { return is_registered_; }

  private:
    struct Answer {
        long status = 0;
        std::string body;
    };
    void loop();
    [[nodiscard]] bool is_token_due();
    void refresh_token();
    void register_cloud();
    [[nodiscard]] Result<Answer> post(const std::string& url, const std::string& content_type,
                                      const std::string& body, const std::string& token,
                                      const std::string& user = {});
    // When to try again what has failed.
    [[nodiscard]] std::uint64_t later(unsigned& failures) const;

    store::Writer* writer_;
    OutboxTables tables_;
    SmoOptions options_;
    nlohmann::json notification_;
    web::Easy easy_ = web::make_easy();
    std::atomic<bool> is_registered_{false};
    std::atomic<bool> stopping_{false};
    unsigned registration_failures_ = 0, token_failures_ = 0;
    std::uint64_t registration_due_ns_ = 0, token_due_ns_ = 0;  // monotonic; the thread's, as those above
    std::mutex mutex_;                                          // of those below
    std::condition_variable woken_;
    web::BearerToken token_;
    std::uint64_t token_ends_ns_ = 0;  // monotonic
    bool is_refused_ = false;          // the token
    std::thread thread_;
};

}  // namespace rouse::o2ims
