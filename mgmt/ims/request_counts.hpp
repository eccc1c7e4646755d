#pragma once
// How many requests were answered, by route and status code.

#include "mgmt/http/request.hpp"
#include "mgmt/http/status.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace rouse::ims {

// Any thread. Routes and codes are few, so this stays small whatever clients send.
class RequestCounts {
  public:
    struct Count {
        std::string method, route;  // the route's pattern; "none" when no route matched
        unsigned code = 0;
        std::uint64_t requests = 0;
    };

    void count(const http::Request& request, http::Status status);
    [[nodiscard]] std::vector<Count> read() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::tuple<const http::Route*, http::Method, http::Status>, std::uint64_t> counts_;
};

}  // namespace rouse::ims
