#include "mgmt/events/strangers.hpp"

#include "mgmt/events/text.hpp"
#include "shared/boot_architecture.hpp"

#include <algorithm>
#include <cstring>

namespace rouse::events {
namespace {

Result<std::vector<SeenStranger>> read_all(const store::View& view, const EventTables& tables) {
    std::vector<SeenStranger> out;
    const auto scanned = scan(view.txn(), tables.strangers, {}, [&](store::Bytes key, store::Bytes value) {
        SeenStranger found;
        const auto record = store::decode<Stranger>(value);
        if (key.size() != sizeof found.mac) return true;
        std::memcpy(&found.mac, key.data(), sizeof found.mac);
        // A damaged record sorts as the oldest: it is the next to go.
        if (record) found.what = *record;
        out.push_back(found);
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return out;
}

bool seen_later(const SeenStranger& a, const SeenStranger& b) noexcept {
    return a.what.last_seen_ns > b.what.last_seen_ns;
}

}  // namespace

void StrangerNotes::note(const Event& event) {
    if (event.mac.is_zero() || event.mac.is_group()) return;
    Stranger& stranger = seen_[event.mac];
    if (stranger.events++ == 0) stranger.first_seen_ns = event.time_ns;
    stranger.last_seen_ns = std::max(stranger.last_seen_ns, event.time_ns);
    if (event.kind == EventKind::dhcp_ignored) stranger.reason = event.detail;
    if (event.kind == EventKind::dhcp_discover || event.kind == EventKind::dhcp_request ||
        event.kind == EventKind::dhcp_ignored) {
        stranger.architecture = event.architecture;
        static_cast<void>(stranger.vendor_class.assign(
            printable(event.get_text()).substr(0, decltype(stranger.vendor_class)::kMaxLength)));
    }
}

Result<void> StrangerNotes::write(store::Batch& batch, const EventTables& tables) const {
    if (seen_.empty()) return {};
    for (const auto& [mac, fresh] : seen_) {
        const auto known = batch.record<Stranger>(tables.strangers, store::bytes_of(mac));
        if (!known) return tl::unexpected(known.error());
        Stranger merged = fresh;
        if (*known) {
            merged.first_seen_ns = (*known)->first_seen_ns;
            merged.events += (*known)->events;
            if (merged.vendor_class.empty()) merged.vendor_class = (*known)->vendor_class;
            if (merged.architecture == kArchitectureUnknown) merged.architecture = (*known)->architecture;
            if (merged.reason == 0) merged.reason = (*known)->reason;
        }
        if (auto put = batch.put_record(tables.strangers, store::bytes_of(mac), merged); !put) return put;
    }
    const auto count = batch.txn().count(tables.strangers);
    if (!count) return tl::unexpected(count.error());
    if (*count <= kMaxStrangers) return {};
    auto all = read_all(batch, tables);
    if (!all) return tl::unexpected(all.error());
    std::nth_element(all->begin(), all->begin() + kMaxStrangers, all->end(), seen_later);
    for (std::size_t i = kMaxStrangers; i < all->size(); ++i)
        if (auto removed = batch.remove(tables.strangers, store::bytes_of((*all)[i].mac)); !removed)
            return tl::unexpected(removed.error());
    return {};
}

Result<std::vector<SeenStranger>> read_strangers(const store::View& view, const EventTables& tables) {
    auto all = read_all(view, tables);
    if (!all) return all;
    std::erase_if(*all, [&](const SeenStranger& stranger) {
        const auto host = view.record<store::HostRecord>(view.tables().hosts, store::bytes_of(stranger.mac));
        return host && *host;
    });
    std::sort(all->begin(), all->end(), seen_later);
    return all;
}

}  // namespace rouse::events
