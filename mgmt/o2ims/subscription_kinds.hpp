#pragma once
// The kinds of subscriptions that services have (O2IMS 1.3 to 1.5, 1.7).

#include "mgmt/o2ims/subscriptions.hpp"

namespace rouse::o2ims {

[[nodiscard]] SubscriptionKind inventory_subscriptions();
[[nodiscard]] SubscriptionKind alarm_subscriptions();
[[nodiscard]] SubscriptionKind performance_subscriptions();

}  // namespace rouse::o2ims
