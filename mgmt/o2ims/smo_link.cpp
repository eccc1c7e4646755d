#include "mgmt/o2ims/smo_link.hpp"

#include "mgmt/http/uri.hpp"
#include "mgmt/o2ims/backoff.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <spdlog/spdlog.h>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

constexpr std::string_view kRegistration = "registration";  // in `states`: what the SMO has taken
constexpr long kAnswerWithinSeconds = 10;
constexpr std::size_t kMaxSmoAnswer = 64 * 1024;
constexpr std::uint64_t kTokenSeconds = 300;  // of one that does not say how long it lasts
constexpr long kUnauthorizedBySmo = 401;
constexpr auto kTurn = std::chrono::milliseconds(200);

std::size_t keep_body(char* data, std::size_t, std::size_t size, void* to) {
    auto& body = *static_cast<std::string*>(to);
    if (body.size() + size > kMaxSmoAnswer) return 0;
    body.append(data, size);
    return size;
}

int is_cancelled(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
}

}  // namespace

SmoLink::SmoLink(store::Writer& writer, OutboxTables tables, const Cloud& cloud, SmoOptions options)
    : writer_(&writer),
      tables_(tables),
      options_(std::move(options)),
      notification_({{"globalCloudId", cloud.global_id},
                     {"oCloudId", cloud.id.to_string()},
                     {"IMS_EP", cloud.service_uri}}) {}

SmoLink::~SmoLink() {
    stop();
}

void SmoLink::start() {
    if (options_.url.empty() && options_.token_url.empty()) return;
    thread_ = std::thread([this] { loop(); });
}

void SmoLink::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    woken_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::optional<web::BearerToken> SmoLink::token() {
    if (options_.token_url.empty()) return web::BearerToken{};
    const std::lock_guard lock(mutex_);
    if (token_.text.empty() || monotonic_ns() >= token_ends_ns_) return std::nullopt;
    return token_;
}

void SmoLink::renew_token(std::uint64_t number) {
    {
        const std::lock_guard lock(mutex_);
        if (number == 0 || number != token_.number) return;
        is_refused_ = true;
    }
    woken_.notify_all();
}

bool SmoLink::is_token_due() {
    if (options_.token_url.empty()) return false;
    const std::lock_guard lock(mutex_);
    // While fetching fails, nothing that is refused makes it more frequent.
    return monotonic_ns() >= token_due_ns_ || (is_refused_ && token_failures_ == 0);
}

void SmoLink::loop() {
    for (;;) {
        if (is_token_due()) refresh_token();
        const bool is_open = !options_.url.empty() && !is_registered_;
        if (is_open && monotonic_ns() >= registration_due_ns_ && token()) register_cloud();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, kTurn, [this] { return stopping_ || (is_refused_ && token_failures_ == 0); });
        if (stopping_) return;
    }
}

std::uint64_t SmoLink::later(unsigned& failures) const {
    return monotonic_ns() + backoff_ns(options_.first_retry, options_.longest_retry, failures++);
}

void SmoLink::refresh_token() {
    std::string form = "grant_type=client_credentials";
    if (!options_.scope.empty()) form += "&scope=" + http::percent_encode(options_.scope);
    const std::string user =
        http::percent_encode(options_.client_id) + ":" + http::percent_encode(options_.client_secret);
    const auto answer = post(options_.token_url, "application/x-www-form-urlencoded", form, "", user);
    const json body = answer ? json::parse(answer->body, nullptr, false) : json();
    const bool is_token = answer && answer->status == 200 && body.is_object() &&
                          body.contains("access_token") && body["access_token"].is_string();
    if (!is_token) {
        if (token_failures_ == 0)
            spdlog::warn("{} gives no token ({}); trying again", options_.token_url,
                         answer ? "it answers " + std::to_string(answer->status) : answer.error().message);
        token_due_ns_ = later(token_failures_);
        return;
    }
    token_failures_ = 0;
    const auto said = body.find("expires_in");
    const std::uint64_t life = said != body.end() && said->is_number_unsigned()
                                   ? std::clamp<std::uint64_t>(said->get<std::uint64_t>(), 1, 86'400)
                                   : kTokenSeconds;
    const std::uint64_t now = monotonic_ns();
    token_due_ns_ = now + life * kNanosPerSecond / 5 * 4;
    const std::lock_guard lock(mutex_);
    token_ = {body["access_token"], token_.number + 1};
    token_ends_ns_ = now + life * kNanosPerSecond;
    is_refused_ = false;
}

void SmoLink::register_cloud() {
    // Told again when anything of it, or whom to tell, is not as it was.
    const std::string told = json{
        {"url", options_.url},
        {"form", static_cast<int>(options_.form)},
        {"notification",
         notification_}}.dump();
    {
        const auto snapshot = writer_->store().snapshot();
        const auto before =
            snapshot ? read_state(*snapshot, tables_, kRegistration) : tl::unexpected(snapshot.error());
        if (before && *before == told) {
            is_registered_ = true;
            return;
        }
    }
    const auto bearer = token().value_or(web::BearerToken{});
    json body = notification_;
    if (options_.form == RegistrationForm::starlingx)
        body["smo_token_data"] = {{"iss", "o2ims"},
                                  {"aud", "smo"},
                                  {"smo_token_payload", bearer.text},
                                  {"smo_token_type", "jwt"},
                                  {"smo_token_expiration", ""},
                                  {"smo_token_algo", "RS256"}};
    const auto answer = post(options_.url, "application/json", body.dump(), bearer.text);
    const bool is_taken = answer && answer->status >= 200 && answer->status < 300;
    if (!is_taken) {
        if (registration_failures_ == 0)
            spdlog::warn("the SMO at {} does not take the registration ({}); trying again", options_.url,
                         answer ? "it answers " + std::to_string(answer->status) : answer.error().message);
        if (answer && answer->status == kUnauthorizedBySmo) renew_token(bearer.number);
        registration_due_ns_ = later(registration_failures_);
        return;
    }
    const auto noted =
        writer_->run([&](store::Batch& batch) { return write_state(batch, tables_, kRegistration, told); });
    if (!noted) spdlog::error("that the SMO knows of us cannot be noted: {}", noted.error().message);
    spdlog::info("registered with the SMO at {}", options_.url);
    is_registered_ = true;
}

Result<SmoLink::Answer> SmoLink::post(const std::string& url, const std::string& content_type,
                                      const std::string& body, const std::string& token,
                                      const std::string& user) {
    if (!easy_) return fail("libcurl could not be initialised");
    CURL* easy = easy_.get();
    web::begin_request(easy, url, kAnswerWithinSeconds, kAnswerWithinSeconds);
    web::use_tls(easy, options_.tls);
    web::HeaderFields fields;
    fields.add("Content-Type: " + content_type);
    if (!token.empty()) fields.add("Authorization: Bearer " + token);
    if (!user.empty()) curl_easy_setopt(easy, CURLOPT_USERPWD, user.c_str());
    Answer answer;
    std::array<char, CURL_ERROR_SIZE> why{};
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields.get());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, is_cancelled);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &stopping_);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why.data());
    const CURLcode result = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
    if (result != CURLE_OK)
        return fail(why[0] != '\0' ? std::string(why.data()) : curl_easy_strerror(result));
    return answer;
}

}  // namespace rouse::o2ims
