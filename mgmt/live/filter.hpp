#pragma once
// What a follower wants to hear of: subscriptions, any of which lets a message through.

#include "mgmt/http/problem.hpp"
#include "mgmt/http/uri.hpp"
#include "mgmt/live/message.hpp"
#include "mgmt/store/id.hpp"

#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::live {

// Of each list that is not empty one member must fit.
struct Subscription {
    std::set<store::Kind> kinds;
    std::set<store::Id> ids;
    std::set<store::Id> clusters;  // its machines and their timelines, and the cluster itself

    [[nodiscard]] bool lets_through(const Message& message) const;
    friend bool operator==(const Subscription&, const Subscription&) = default;
};

class Filter {
  public:
    static constexpr std::size_t kMaxSubscriptions = 64;
    static constexpr std::size_t kMaxMembers = 1000;  // of one list

    // ?kind=…&id=…&cluster=…, each several times or with commas. Without any: everything, until the first
    // add().
    [[nodiscard]] static http::OrProblem<Filter> parse(const http::Query& query);

    [[nodiscard]] http::OrProblem<void> add(const nlohmann::json& subscription);
    [[nodiscard]] http::OrProblem<void> remove(const nlohmann::json& subscription);
    [[nodiscard]] bool lets_through(const Message& message) const;
    [[nodiscard]] std::size_t size() const noexcept { return subscriptions_.size(); }

  private:
    bool everything_ = false;
    std::vector<Subscription> subscriptions_;
};

}  // namespace rouse::live
