#pragma once
// What a subscription's filter says: which notifications its subscriber is NOT told of (O2IMS 1.4, 1.5).

#include "mgmt/http/problem.hpp"
#include "mgmt/o2ims/filter.hpp"
#include "mgmt/o2ims/outbox.hpp"

#include <functional>
#include <string_view>

namespace rouse::o2ims {

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
