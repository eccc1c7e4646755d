#pragma once
// Requests from a worker to its centre. Blocking: for threads of their own, one link each.

#include "shared/result.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::workers {

struct CentreAddress {
    std::string url;  // https, or http on loopback: a token goes with each request
    std::string ca;   // file of certificates to trust; empty: the system's
};
// What is wrong with it, if anything is.
[[nodiscard]] Result<void> check_address(const CentreAddress& address);

struct CentreAnswer {
    long status = 0;
    nlohmann::json body;  // null when it is not JSON
    [[nodiscard]] bool is_success() const noexcept { return status >= 200 && status < 300; }
    // "403: this token is …", for logs.
    [[nodiscard]] std::string trouble() const;
};

class CentreLink {
  public:
    // CANCELLED ends what is under way, and outlives the link.
    CentreLink(CentreAddress address, const std::atomic<bool>& cancelled);
    ~CentreLink();
    CentreLink(const CentreLink&) = delete;
    CentreLink& operator=(const CentreLink&) = delete;

    // An error is that no answer came.
    [[nodiscard]] Result<CentreAnswer> get(const std::string& token, const std::string& path,
                                           long timeout_seconds);
    [[nodiscard]] Result<CentreAnswer> post(const std::string& token, const std::string& path,
                                            const nlohmann::json& body);
    using Sink = std::function<bool(long status, std::string_view bytes)>;
    // The bytes of PATH from FROM on.
    [[nodiscard]] Result<CentreAnswer> download(const std::string& token, const std::string& path,
                                                std::uint64_t from, Sink sink);

  private:
    struct Request;
    struct Curl;
    Result<CentreAnswer> send(const Request& request, const std::string& token, const std::string& path);

    CentreAddress address_;
    const std::atomic<bool>* cancelled_;
    std::unique_ptr<Curl> curl_;  // its connection is used again
};

}  // namespace rouse::workers
