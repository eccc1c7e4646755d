#include "mgmt/o2ims/outbox.hpp"

#include "shared/endian.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace rouse::o2ims {

using store::Bytes;
using store::bytes_of;

namespace {

constexpr std::string_view kLast = "last";   // in `states`: be64
constexpr std::size_t kTrimAtOnce = 20'000;  // removals of one operation

std::optional<std::uint64_t> to_number(Bytes bytes) {
    be64 number;
    if (bytes.size() != sizeof number) return std::nullopt;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number.host();
}

Result<std::uint64_t> number_at(const store::View& view, store::Table table, Bytes key) {
    const auto stored = view.txn().get(table, key);
    if (!stored) return tl::unexpected(stored.error());
    return *stored ? to_number(**stored).value_or(0) : 0;
}

// A logged value: time (be64), then the service, the kind and the body, each line ended but the last.
std::string to_value(std::uint64_t time_ns, const Notification& notification) {
    const be64 time(time_ns);
    std::string out(store::text_of(bytes_of(time)));
    out.append(notification.service).append("\n");
    out.append(notification.kind).append("\n");
    return out.append(notification.body);
}

std::optional<LoggedNotification> to_notification(Bytes key, Bytes value) {
    const auto number = to_number(key);
    if (!number || value.size() < sizeof(be64)) return std::nullopt;
    LoggedNotification out{*number, *to_number(value.first(sizeof(be64))), {}};
    auto text = store::text_of(value.subspan(sizeof(be64)));
    for (auto* field : {&out.notification.service, &out.notification.kind}) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        *field = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    out.notification.body = text;
    return out;
}

// Removes the log's first entries up to UP_TO, AT_MOST of them.
Result<void> trim(store::Batch& batch, store::Table log, std::uint64_t up_to, std::size_t at_most) {
    std::vector<be64> old;
    const auto scanned = store::scan(batch.txn(), log, {}, [&](Bytes key, Bytes) {
        const auto number = to_number(key);
        if (!number || *number > up_to || old.size() == at_most) return false;
        old.emplace_back(*number);
        return true;
    });
    if (!scanned) return scanned;
    for (const be64& number : old)
        if (const auto removed = batch.remove(log, bytes_of(number)); !removed)
            return tl::unexpected(removed.error());
    return {};
}

}  // namespace

Result<bool> has_subscribers(const store::View& view, const std::string& service) {
    bool found = false;
    const auto looked = store::for_each_id(view, store::kSubscriptionByService, service, [&](store::Id) {
        found = true;
        return false;
    });
    if (!looked) return tl::unexpected(looked.error());
    return found;
}

Result<OutboxTables> OutboxTables::open(store::Batch& batch) {
    OutboxTables tables;
    struct Entry {
        const char* name;
        store::Table* table;
    };
    for (const Entry& entry : {Entry{"outbox", &tables.log},
                               {"outbox.cursors", &tables.cursors},
                               {"outbox.told", &tables.told},
                               {"outbox.states", &tables.states}}) {
        auto table = batch.txn().table(entry.name, true);
        if (!table) return tl::unexpected(table.error());
        *entry.table = *table;
    }
    return tables;
}

Result<void> append(store::Batch& batch, const OutboxTables& tables, const Notification& notification,
                    std::size_t limit) {
    const auto wanted = has_subscribers(batch, notification.service);
    if (!wanted) return tl::unexpected(wanted.error());
    if (!*wanted) return {};
    const auto last = last_number(batch, tables);
    if (!last) return tl::unexpected(last.error());
    const be64 number(*last + 1);
    const std::string value = to_value(batch.now_ns(), notification);
    if (auto put = batch.put(tables.log, bytes_of(number), bytes_of(value)); !put) return put;
    if (auto put = batch.put(tables.states, bytes_of(kLast), bytes_of(number)); !put) return put;
    const auto count = batch.txn().count(tables.log);
    if (!count) return tl::unexpected(count.error());
    return *count > limit ? trim(batch, tables.log, number.host(), *count - limit) : Result<void>();
}

Result<void> begin_cursor(store::Batch& batch, const OutboxTables& tables, store::Id id) {
    const auto last = last_number(batch, tables);
    if (!last) return tl::unexpected(last.error());
    const be64 number(*last);
    return batch.put(tables.cursors, bytes_of(id), bytes_of(number));
}

Result<void> end_cursor(store::Batch& batch, const OutboxTables& tables, store::Id id) {
    const auto removed = batch.remove(tables.cursors, bytes_of(id));
    if (!removed) return tl::unexpected(removed.error());
    return {};
}

Result<void> move_cursors(store::Batch& batch, const OutboxTables& tables,
                          const std::vector<CursorAt>& cursors) {
    for (const auto& cursor : cursors) {
        const auto known = batch.txn().get(tables.cursors, bytes_of(cursor.id));
        if (!known) return tl::unexpected(known.error());
        const be64 number(cursor.number);
        if (!*known) continue;
        if (auto put = batch.put(tables.cursors, bytes_of(cursor.id), bytes_of(number)); !put) return put;
    }
    std::uint64_t slowest = UINT64_MAX;
    const auto scanned = store::scan(batch.txn(), tables.cursors, {}, [&](Bytes, Bytes value) {
        slowest = std::min(slowest, to_number(value).value_or(0));
        return true;
    });
    if (!scanned) return scanned;
    return trim(batch, tables.log, slowest, kTrimAtOnce);
}

Result<std::uint64_t> cursor_of(const store::View& view, const OutboxTables& tables, store::Id id) {
    return number_at(view, tables.cursors, bytes_of(id));
}

Result<std::uint64_t> last_number(const store::View& view, const OutboxTables& tables) {
    return number_at(view, tables.states, bytes_of(kLast));
}

Result<std::uint64_t> first_number(const store::View& view, const OutboxTables& tables) {
    std::optional<std::uint64_t> first;
    const auto scanned = store::scan(view.txn(), tables.log, {}, [&](Bytes key, Bytes) {
        first = to_number(key);
        return !first;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    if (first) return *first;
    const auto last = last_number(view, tables);
    if (!last) return last;
    return *last + 1;
}

Result<void> read_log(const store::View& view, const OutboxTables& tables, std::uint64_t number,
                      const std::function<bool(LoggedNotification)>& visit) {
    const be64 from(number + 1);
    return store::scan(view.txn(), tables.log, bytes_of(from), [&](Bytes key, Bytes value) {
        auto logged = to_notification(key, value);
        return !logged || visit(std::move(*logged));
    });
}

Result<std::string> read_state(const store::View& view, const OutboxTables& tables, std::string_view name) {
    const auto stored = view.txn().get(tables.states, bytes_of(name));
    if (!stored) return tl::unexpected(stored.error());
    return *stored ? std::string(store::text_of(**stored)) : std::string();
}

Result<void> write_state(store::Batch& batch, const OutboxTables& tables, std::string_view name,
                         std::string_view value) {
    return batch.put(tables.states, bytes_of(name), bytes_of(value));
}

}  // namespace rouse::o2ims
