#include "mgmt/workers/centre_link.hpp"

#include "mgmt/http/json_text.hpp"
#include "mgmt/web_client/curl.hpp"

#include <array>
#include <utility>

namespace rouse::workers {

struct CentreLink::Request {
    std::string body = {};     // JSON, to be posted; empty: a GET
    long timeout_seconds = 0;  // 0: none, as long as bytes move
    std::uint64_t from = 0;
    Sink sink = {};
};

namespace {

constexpr long kTimeoutSeconds = 8;  // of a short request: less than the time between two beats
constexpr long kConnectSeconds = 5;
constexpr long kStallSeconds = 30;
constexpr std::size_t kMaxAnswer = std::size_t{256} << 20;

struct Receiving {
    CURL* curl;
    const CentreLink::Sink& sink;
    std::string body;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* to) {
    auto& receiving = *static_cast<Receiving*>(to);
    long status = 0;
    curl_easy_getinfo(receiving.curl, CURLINFO_RESPONSE_CODE, &status);
    if (receiving.sink && (status == 200 || status == 206))
        return receiving.sink(status, {data, size}) ? size : 0;
    if (receiving.body.size() + size > kMaxAnswer) return 0;
    receiving.body.append(data, size);
    return size;
}

int on_progress(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

}  // namespace

struct CentreLink::Curl {
    web::Easy handle = web::make_easy();
};

Result<void> check_address(const CentreAddress& address) {
    const std::string& url = address.url;
    if (url.starts_with("https://")) return {};
    for (const char* loopback : {"http://127.", "http://localhost", "http://[::1]"})
        if (url.starts_with(loopback)) return {};
    return fail(
        "worker.centre \"" + url +
        "\" is not the centre's URL, such as https://rouse.example:30205 (plain http on loopback only)");
}

std::string CentreAnswer::trouble() const {
    const bool has_detail = body.is_object() && body.contains("detail") && body["detail"].is_string();
    return std::to_string(status) + (has_detail ? ": " + body["detail"].get<std::string>() : "");
}

CentreLink::CentreLink(CentreAddress address, const std::atomic<bool>& cancelled)
    : address_(std::move(address)), cancelled_(&cancelled), curl_(std::make_unique<Curl>()) {
    while (address_.url.ends_with('/')) address_.url.pop_back();
}
CentreLink::~CentreLink() = default;

Result<CentreAnswer> CentreLink::get(const std::string& token, const std::string& path,
                                     long timeout_seconds) {
    return send({.timeout_seconds = timeout_seconds}, token, path);
}

Result<CentreAnswer> CentreLink::post(const std::string& token, const std::string& path,
                                      const nlohmann::json& body) {
    return send({.body = http::to_text(body), .timeout_seconds = kTimeoutSeconds}, token, path);
}

Result<CentreAnswer> CentreLink::download(const std::string& token, const std::string& path,
                                          std::uint64_t from, Sink sink) {
    return send({.from = from, .sink = std::move(sink)}, token, path);
}

Result<CentreAnswer> CentreLink::send(const Request& request, const std::string& token,
                                      const std::string& path) {
    CURL* curl = curl_->handle.get();
    if (curl == nullptr) return fail("libcurl could not be initialised");
    const std::string url = address_.url + path;
    web::begin_request(curl, url, kConnectSeconds, request.timeout_seconds);
    Receiving receiving{curl, request.sink, {}};
    web::HeaderFields fields;
    std::array<char, CURL_ERROR_SIZE> why{};
    if (!token.empty()) fields.add("Authorization: Bearer " + token);
    if (!request.body.empty()) {
        fields.add("Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    }
    if (request.sink) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    }
    if (request.from != 0)
        curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(request.from));
    if (address_.url.starts_with("http://")) curl_easy_setopt(curl, CURLOPT_PROXY, "");  // loopback
    web::use_tls(curl, {.ca = address_.ca, .certificate = {}, .key = {}});
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiving);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(cancelled_));
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
    const CURLcode result = curl_easy_perform(curl);
    CentreAnswer answer;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
        return fail("the centre's certificate is not trusted: " + std::string(why.data()) +
                    "; name its issuer's as worker.ca");
    if (result != CURLE_OK)
        return fail(why[0] != '\0' ? std::string(why.data()) : curl_easy_strerror(result));
    answer.body = nlohmann::json::parse(receiving.body, nullptr, false);
    if (answer.body.is_discarded()) answer.body = nullptr;
    return answer;
}

}  // namespace rouse::workers
