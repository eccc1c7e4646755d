#pragma once
// What requests to other servers have in common: libcurl's handles and lists as objects that end themselves.

#include <cstdint>
#include <memory>
#include <string>

#include <curl/curl.h>

namespace rouse::web {

struct EasyCleanup {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
// For one thread at a time; keeps its connections for the next request.
using Easy = std::unique_ptr<CURL, EasyCleanup>;
// Null when libcurl cannot be initialised. Any thread.
[[nodiscard]] Easy make_easy();

class HeaderFields {
  public:
    HeaderFields() = default;
    HeaderFields(const HeaderFields&) = delete;
    HeaderFields& operator=(const HeaderFields&) = delete;
    ~HeaderFields() { curl_slist_free_all(head_); }
    // "Name: value"
    void add(const std::string& line) { head_ = curl_slist_append(head_, line.c_str()); }
    void clear() {
        curl_slist_free_all(head_);
        head_ = nullptr;
    }
    [[nodiscard]] curl_slist* get() const noexcept { return head_; }

  private:
    curl_slist* head_ = nullptr;
};

// What shows a server who we are (RFC 6750), and which of those that were fetched it is.
struct BearerToken {
    std::string text;          // empty: none is needed
    std::uint64_t number = 0;  // from 1; one more with each
};

// With whom, and as whom, an https connection is made. Files of PEM; empty: the system's authorities, and no
// certificate of our own.
struct TlsFiles {
    std::string ca, certificate, key;
};
void use_tls(CURL* handle, const TlsFiles& files);

// What every request of ours is: of http or https alone, without signals, led to no other place. Given up, it
// waits for nothing, not even for a name server that does not answer.
void begin_request(CURL* handle, const std::string& url, long connect_seconds, long total_seconds);

}  // namespace rouse::web
