#include "mgmt/web_client/curl.hpp"

namespace rouse::web {

Easy make_easy() {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    return initialised == CURLE_OK ? Easy(curl_easy_init()) : nullptr;
}

void use_tls(CURL* handle, const TlsFiles& files) {
    if (!files.ca.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, files.ca.c_str());
    if (files.certificate.empty()) return;
    curl_easy_setopt(handle, CURLOPT_SSLCERT, files.certificate.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, files.key.c_str());
}

void begin_request(CURL* handle, const std::string& url, long connect_seconds, long total_seconds) {
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    // Otherwise the end of a request waits for the thread that looks its host's name up.
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, total_seconds);
}

}  // namespace rouse::web
