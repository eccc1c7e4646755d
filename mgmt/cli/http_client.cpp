#include "mgmt/cli/http_client.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <curl/curl.h>

namespace rouse::cli {
namespace {

constexpr std::size_t kMaxReply = std::size_t{256} << 20;  // more is no answer of an appliance

struct List {
    ~List() { curl_slist_free_all(head); }
    void add(const std::string& line) { head = curl_slist_append(head, line.c_str()); }
    curl_slist* head = nullptr;
};

struct Receiver {
    CURL* curl;
    DownloadSink* download;
    std::string& body;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* out) {
    const auto& receiver = *static_cast<Receiver*>(out);
    long status = 0;
    curl_easy_getinfo(receiver.curl, CURLINFO_RESPONSE_CODE, &status);
    if (receiver.download != nullptr && status == 200)
        return receiver.download->write({data, size}) ? size : 0;
    if (receiver.body.size() + size > kMaxReply) return 0;
    receiver.body.append(data, size);
    return size;
}

// Link: </api/machines/?after=…>; rel="next"
std::size_t on_header(char* data, std::size_t, std::size_t size, void* reply) {
    const std::string_view line(data, size);
    constexpr std::string_view kName = "link:";
    const bool is_link = size > kName.size() && std::equal(kName.begin(), kName.end(), line.begin(),
                                                           [](char a, char b) { return a == (b | 0x20); });
    const auto open = line.find('<');
    const auto close = line.find('>');
    if (is_link && open < close && close != line.npos && line.find("rel=\"next\"", close) != line.npos)
        static_cast<HttpReply*>(reply)->next = line.substr(open + 1, close - open - 1);
    return size;
}

std::size_t on_read(char* buffer, std::size_t, std::size_t size, void* source) {
    return static_cast<UploadSource*>(source)->read({buffer, size}).value_or(CURL_READFUNC_ABORT);
}

// libcurl starts over when a kept connection turns out to be closed.
int on_seek(void* source, curl_off_t offset, int origin) {
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<UploadSource*>(source)->rewind();
    return CURL_SEEKFUNC_OK;
}

int on_progress(void* source, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
    static_cast<UploadSource*>(source)->progressed(static_cast<std::uint64_t>(sent));
    return 0;
}

bool is_loopback(const std::string& url) {
    for (const char* host : {"://127.", "://localhost", "://[::1]"})
        if (url.find(host) != std::string::npos) return true;
    return false;
}

void set_up(CURL* curl, const HttpRequest& request, const TlsFiles& tls, HttpReply& reply, Receiver& receiver,
            List& fields) {
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, request.timeout_seconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 120L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
    if (is_loopback(request.url)) curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (!tls.ca.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, tls.ca.c_str());
    if (!tls.certificate.empty()) curl_easy_setopt(curl, CURLOPT_SSLCERT, tls.certificate.c_str());
    if (!tls.key.empty()) curl_easy_setopt(curl, CURLOPT_SSLKEY, tls.key.c_str());
    if (!request.token.empty()) fields.add("Authorization: Bearer " + request.token);
    if (!request.content_type.empty()) fields.add("Content-Type: " + request.content_type);
    if (request.upload != nullptr) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload->size()));
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, request.upload);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, request.upload);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request.upload);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    } else if (!request.body.empty()) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.head);
}

struct Cleanup {
    void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
};

}  // namespace

struct HttpClient::State {
    TlsFiles tls;
    std::unique_ptr<CURL, Cleanup> curl;
};

HttpClient::HttpClient(TlsFiles tls) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(initialised);
    state_ = std::make_unique<State>(State{std::move(tls), std::unique_ptr<CURL, Cleanup>(curl_easy_init())});
}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

OrFailure<HttpReply> HttpClient::send(const HttpRequest& request) {
    CURL* curl = state_->curl.get();
    if (curl == nullptr) return failure(ExitCode::failed, "libcurl could not be initialised");
    curl_easy_reset(curl);
    HttpReply reply;
    Receiver receiver{curl, request.download, reply.body};
    List fields;
    std::array<char, CURL_ERROR_SIZE> why{};
    set_up(curl, request, state_->tls, reply, receiver, fields);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
    const CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (result == CURLE_OK) return reply;
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return failure(ExitCode::failed, "the file could not be read to its end");
    const std::string text = why[0] != '\0' ? why.data() : curl_easy_strerror(result);
    if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL)
        return failure(
            ExitCode::usage,
            "\"" + request.url + "\" is not an appliance's URL, such as https://rouse.example:30205");
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE)
        return failure(ExitCode::unreachable, "the appliance's certificate is not trusted: " + text +
                                                  "; name its issuer's with rousectl login --ca FILE");
    if (result == CURLE_SSL_CERTPROBLEM)
        return failure(ExitCode::failed, "our own certificate or its key cannot be used: " + text +
                                             "; see rousectl context add --help");
    if (request.download != nullptr && reply.status == 200)
        return failure(ExitCode::failed, "the answer from " + request.url + " was cut short: " + text);
    return failure(ExitCode::unreachable, "no answer from " + request.url + ": " + text);
}

}  // namespace rouse::cli
