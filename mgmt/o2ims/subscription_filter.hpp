#pragma once
// What a subscription's filter says: which notifications its subscriber is NOT told of (O2IMS 1.4, 1.5).

#include "mgmt/http/problem.hpp"
#include "mgmt/o2ims/filter.hpp"
#include "mgmt/o2ims/outbox.hpp"

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::o2ims {

// The filter among the attributes of a subscription: eventFilter, as the monitoring service calls it
// since 2.2, or filter, its name before and of the others. Empty: there is none.
[[nodiscard]] std::string filter_of(const nlohmann::json& fields);

// Any thread.
using Excludes = std::function<bool(const Notification& notification)>;
// A service's language of filters: a 400 for what is none. TEXT is not empty.
using FilterLanguage = std::function<http::OrProblem<Excludes>(std::string_view text)>;

// Whatever FILTER hits, which is compared with bodies.
[[nodiscard]] Excludes excludes_matching(Filter filter);

// Of the inventory: "(eq,objectType,ResourceInfo);(eq,tags,discovered)|(eq,objectType,ResourceTypeInfo)":
// terms that must all hold, of one type of objects (ResourceInfo, if none is said), alternatives between "|";
// square brackets around it all are optional. It is compared with postObjectState, of deleted objects with
// priorObjectState.
[[nodiscard]] http::OrProblem<Excludes> parse_inventory_filter(std::string_view text);

}  // namespace rouse::o2ims
