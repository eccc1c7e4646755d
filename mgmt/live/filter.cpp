#include "mgmt/live/filter.hpp"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

namespace rouse::live {
namespace {

using http::OrProblem;
using http::Status;
using nlohmann::json;

std::string known_kinds() {
    std::string out;
    for (const auto& [kind, name] : kKindNames) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
}

// Adds one member to the list that NAME means.
OrProblem<void> add_member(Subscription& to, std::string_view name, std::string_view value) {
    if (name == "kind") {
        const auto kind = parse_kind(value);
        if (!kind)
            return http::problem(Status::bad_request, "there is no kind \"" + std::string(value) +
                                                          "\"; kinds are " + known_kinds());
        to.kinds.insert(*kind);
        return {};
    }
    const auto id = store::Id::parse(value);
    if (!id)
        return http::problem(Status::bad_request, std::string(name) + " \"" + std::string(value) +
                                                      "\" is not the id of an object (a UUID)");
    auto& ids = name == "id" ? to.ids : to.clusters;
    ids.insert(*id);
    if (ids.size() > Filter::kMaxMembers)
        return http::problem(Status::bad_request, "a subscription names at most " +
                                                      std::to_string(Filter::kMaxMembers) + " of each");
    return {};
}

OrProblem<Subscription> to_subscription(const json& wanted) {
    if (!wanted.is_object())
        return http::problem(Status::bad_request,
                             "a subscription is an object with kind, id or cluster: names or lists of them");
    Subscription out;
    for (const auto& [name, value] : wanted.items()) {
        if (name != "kind" && name != "id" && name != "cluster")
            return http::problem(Status::bad_request,
                                 "a subscription has kind, id and cluster, not \"" + name + "\"");
        const json list = value.is_array() ? value : json::array({value});
        for (const json& member : list) {
            if (!member.is_string())
                return http::problem(Status::bad_request, name + " must be a string or a list of strings");
            if (auto added = add_member(out, name, member.get<std::string>()); !added)
                return tl::unexpected(added.error());
        }
    }
    return out;
}

template <typename Set, typename T>
bool fits(const Set& set, const T& value) {
    return set.empty() || set.contains(value);
}

}  // namespace

bool Subscription::lets_through(const Message& message) const {
    if (!fits(kinds, message.kind) || !fits(ids, message.id)) return false;
    if (clusters.empty()) return true;
    if (message.kind == store::Kind::cluster) return clusters.contains(message.id);
    return clusters.contains(message.cluster) || clusters.contains(message.former_cluster);
}

OrProblem<Filter> Filter::parse(const http::Query& query) {
    Subscription wanted;
    for (const auto& [name, value] : query.pairs()) {
        if (name != "kind" && name != "id" && name != "cluster") continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            if (auto added = add_member(wanted, name, rest.substr(0, comma)); !added)
                return tl::unexpected(added.error());
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    Filter filter;
    filter.everything_ = wanted == Subscription{};
    if (!filter.everything_) filter.subscriptions_.push_back(std::move(wanted));
    return filter;
}

OrProblem<void> Filter::add(const json& subscription) {
    auto wanted = to_subscription(subscription);
    if (!wanted) return tl::unexpected(wanted.error());
    if (std::ranges::find(subscriptions_, *wanted) == subscriptions_.end()) {
        if (subscriptions_.size() >= kMaxSubscriptions)
            return http::problem(Status::bad_request, "a client has at most " +
                                                          std::to_string(kMaxSubscriptions) +
                                                          " subscriptions; name more objects in one");
        subscriptions_.push_back(std::move(*wanted));
    }
    everything_ = false;
    return {};
}

OrProblem<void> Filter::remove(const json& subscription) {
    const auto wanted = to_subscription(subscription);
    if (!wanted) return tl::unexpected(wanted.error());
    if (everything_ && *wanted == Subscription{}) {
        everything_ = false;
        return {};
    }
    if (std::erase(subscriptions_, *wanted) == 0)
        return http::problem(Status::bad_request, "there is no such subscription");
    return {};
}

bool Filter::lets_through(const Message& message) const {
    return everything_ || std::ranges::any_of(subscriptions_, [&message](const Subscription& wanted) {
               return wanted.lets_through(message);
           });
}

}  // namespace rouse::live
