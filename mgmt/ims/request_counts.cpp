#include "mgmt/ims/request_counts.hpp"

#include "mgmt/http/router.hpp"

namespace rouse::ims {

void RequestCounts::count(const http::Request& request, http::Status status) {
    const std::lock_guard lock(mutex_);
    ++counts_[{request.route, request.method, status}];
}

std::vector<RequestCounts::Count> RequestCounts::read() const {
    std::vector<Count> out;
    const std::lock_guard lock(mutex_);
    for (const auto& [key, requests] : counts_) {
        const auto& [route, method, status] = key;
        out.push_back({std::string(http::to_string(method)), route == nullptr ? "none" : route->pattern,
                       http::code(status), requests});
    }
    return out;
}

}  // namespace rouse::ims
