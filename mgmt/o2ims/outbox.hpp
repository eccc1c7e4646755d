#pragma once
// What subscribers are to be told: one log of notifications, numbered without a gap, and how far each
// subscription has been told. Both are written in the transaction of what happened, so that a crash neither
// loses a notification nor makes one of something that was not; a notification is stored once, however many
// want it.
//
// The log holds kOutboxSize notifications at most: then the oldest go, and with them what a subscriber that
// is not there would have been told; that is counted. Nobody else waits for it.

#include "mgmt/store/documents.hpp"
#include "mgmt/store/store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::o2ims {

inline constexpr std::size_t kOutboxSize = 100'000;

// Whose subscriptions a notification is for, as they are stored ("service").
inline constexpr const char* kInventoryService = "inventory";
inline constexpr const char* kMonitoringService = "monitoring";
inline constexpr const char* kPerformanceService = "performance";

struct OutboxTables {
    store::Table log;      // key: number (be64), from 1; value: see outbox.cpp
    store::Table cursors;  // key: a subscription's Id; value: number of the last that it was told (be64)
    store::Table told;     // inventory objects as subscribers know them; see inventory_events.hpp
    store::Table states;   // key: a name; value: text. What must survive beside

    // Creates what is missing. In an operation of the Writer, once per process.
    [[nodiscard]] static Result<OutboxTables> open(store::Batch& batch);
};

struct Notification {
    std::string service;      // kInventoryService, …
    std::string kind;         // what filters and X-O2IMS-Event-Type know it by: "ResourceInfo", "NEW"
    std::string body = "{}";  // a JSON object, with "notificationId", without "consumerSubscriptionId"
};

struct LoggedNotification {
    std::uint64_t number = 0;
    std::uint64_t time_ns = 0;  // CLOCK_REALTIME, of when it was appended
    Notification notification;
};

// Whether anybody subscribed to SERVICE.
[[nodiscard]] Result<bool> has_subscribers(const store::View& view, const std::string& service);

// Appends to the log, if anybody subscribed to the service. Part of the operation that changes what is told
// of; Delivery::wake() after it makes it leave at once. LIMIT: notifications that the log holds.
[[nodiscard]] Result<void> append(store::Batch& batch, const OutboxTables& tables,
                                  const Notification& notification, std::size_t limit = kOutboxSize);

// A new subscription is told what is appended from now on. Part of the operation that inserts it.
[[nodiscard]] Result<void> begin_cursor(store::Batch& batch, const OutboxTables& tables, store::Id id);
[[nodiscard]] Result<void> end_cursor(store::Batch& batch, const OutboxTables& tables, store::Id id);

struct CursorAt {
    store::Id id;
    std::uint64_t number = 0;
};
// Notes how far subscriptions were told (those that were deleted meanwhile stay so), and forgets what all
// have been told, kTrimAtOnce notifications at most.
[[nodiscard]] Result<void> move_cursors(store::Batch& batch, const OutboxTables& tables,
                                        const std::vector<CursorAt>& cursors);

[[nodiscard]] Result<std::uint64_t> cursor_of(const store::View& view, const OutboxTables& tables,
                                              store::Id id);
// Number of the newest notification ever appended; 0: none.
[[nodiscard]] Result<std::uint64_t> last_number(const store::View& view, const OutboxTables& tables);
// Number of the oldest that the log still has; when it has none, of the one that comes next.
[[nodiscard]] Result<std::uint64_t> first_number(const store::View& view, const OutboxTables& tables);
// In order, those after NUMBER; VISIT returns false to stop.
[[nodiscard]] Result<void> read_log(const store::View& view, const OutboxTables& tables, std::uint64_t number,
                                    const std::function<bool(LoggedNotification)>& visit);

// Small facts by name; empty: none.
[[nodiscard]] Result<std::string> read_state(const store::View& view, const OutboxTables& tables,
                                             std::string_view name);
[[nodiscard]] Result<void> write_state(store::Batch& batch, const OutboxTables& tables, std::string_view name,
                                       std::string_view value);

}  // namespace rouse::o2ims
