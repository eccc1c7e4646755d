#include "dataplane/worker/directory.hpp"

#include "shared/store/framed_text.hpp"
#include "shared/store/tenure.hpp"

namespace rouse::worker {

using store::bytes_of;

Result<store::Tables> Directory::open_tables(store::Environment& environment) {
    auto txn = environment.begin(store::Access::read_only);
    if (!txn) return tl::unexpected(txn.error());
    auto tables = store::Tables::open(*txn);
    if (!tables) return tables;
    // Table handles opened in a transaction become usable by others once it ends well (lmdb.h, mdb_dbi_open).
    if (auto committed = txn->commit(); !committed) return tl::unexpected(committed.error());
    return tables;
}

Result<Directory> Directory::open(store::Environment& environment) {
    const auto tables = open_tables(environment);
    if (!tables) return tl::unexpected(tables.error());
    auto reader = environment.begin(store::Access::read_only);
    if (!reader) return tl::unexpected(reader.error());
    auto networks = store::Cursor::open(*reader, tables->networks);
    if (!networks) return tl::unexpected(networks.error());
    reader->reset();
    return Directory(std::move(*reader), std::move(*networks), *tables);
}

bool Directory::begin() noexcept {
    readable_ = txn_.renew();
    if (readable_) snapshot_ = mdb_txn_id(txn_.raw());
    return readable_;
}

void Directory::end() noexcept {
    if (readable_) txn_.reset();
    readable_ = false;
}

template <store::Record R>
std::optional<R> Directory::get(store::Table table, store::Bytes key) const noexcept {
    const auto value = readable_ ? store::peek(txn_, table, key) : std::nullopt;
    if (!value) return std::nullopt;
    return store::decode<R>(*value);
}

std::uint64_t Directory::hosts_generation() noexcept {
    if (hosts_generation_snapshot_ != snapshot_) {
        const auto value = store::peek(txn_, tables_.meta, bytes_of(store::kHostsGenerationKey));
        be64 generation(0);
        if (value && value->size() == sizeof generation)
            std::memcpy(&generation, value->data(), sizeof generation);
        hosts_generation_ = generation.host();
        hosts_generation_snapshot_ = snapshot_;
    }
    return hosts_generation_;
}

std::optional<store::HostRecord> Directory::host(const MacAddress& mac) noexcept {
    if (!readable_) return std::nullopt;
    const std::uint64_t generation = hosts_generation();
    if (generation == 0) return get<store::HostRecord>(tables_.hosts, bytes_of(mac));
    if (const auto* known = hosts_.find(mac, generation)) return *known;
    const auto record = get<store::HostRecord>(tables_.hosts, bytes_of(mac));
    if (record) hosts_.remember(mac, generation, *record);
    return record;
}

std::optional<store::LeaseRecord> Directory::lease(Ipv4Address address) const noexcept {
    return get<store::LeaseRecord>(tables_.leases, bytes_of(address));
}

std::optional<store::LeaseRecord> Directory::lease(const Ipv6Address& address) const noexcept {
    return get<store::LeaseRecord>(tables_.leases6, bytes_of(address));
}

std::optional<store::NameRecord> Directory::find_name(const MacAddress& mac, const store::HostRecord& host,
                                                      std::string_view name) const noexcept {
    for (const auto& key : store::NameKey::in_order(mac, host.profile, name)) {
        if (!key) continue;
        if (const auto record = get<store::NameRecord>(tables_.names, key->bytes()))
            return record->seen_by(host);
    }
    return std::nullopt;
}

std::uint64_t Directory::tenure() const noexcept {
    const auto record = get<store::TenureRecord>(tables_.switches, bytes_of(store::kDataplaneTenure));
    return record ? record->until_unix : UINT64_MAX;
}

store::SwitchRecord Directory::switches() const noexcept {
    return get<store::SwitchRecord>(tables_.switches, bytes_of(store::kDataplaneSwitches))
        .value_or(store::SwitchRecord{});
}

bool Directory::read_rendered(std::uint64_t id, std::uint64_t offset,
                              std::span<std::byte> out) const noexcept {
    const auto value = rendered(id);
    if (!value || offset > value->size() || value->size() - offset < out.size()) return false;
    std::memcpy(out.data(), value->data() + offset, out.size());
    return true;
}

bool Directory::read_framed(std::uint64_t frame, std::uint64_t line, std::uint64_t offset,
                            std::span<std::byte> out) const noexcept {
    const auto frame_value = rendered(frame);
    const auto line_value = rendered(line);
    if (!frame_value || !line_value) return false;
    const auto text = store::FramedText::of(*frame_value, *line_value);
    return text && text->read(offset, out);
}

std::optional<store::Bytes> Directory::rendered(std::uint64_t id) const noexcept {
    const be64 key(id);
    return readable_ ? store::peek(txn_, tables_.rendered, bytes_of(key)) : std::nullopt;
}

template <typename R, std::size_t Slots>
const R* Directory::cached(Cache<R, Slots>& cache, store::Table table, std::uint32_t id) noexcept {
    if (id == 0 || !readable_) return nullptr;
    auto& entry = cache.entries[id % Slots];
    if (entry.id != id || entry.snapshot != snapshot_) {
        const be32 key(id);
        const auto record = get<R>(table, bytes_of(key));
        entry.id = id;
        entry.snapshot = snapshot_;
        entry.found = record.has_value();
        if (record) entry.record = *record;
    }
    return entry.found ? &entry.record : nullptr;
}

const store::NetworkRecord* Directory::network(store::NetworkId id) noexcept {
    return cached(networks_, tables_.networks, id);
}

const store::ProfileRecord* Directory::profile(store::ProfileId id) noexcept {
    return cached(profiles_, tables_.profiles, id);
}

const store::NetworkRecord* Directory::network_at(Ipv4Address address) noexcept {
    if (!readable_) return nullptr;
    if (networks_snapshot_ != snapshot_ && networks_cursor_.renew(txn_)) {
        network_count_ = 0;
        for (auto entry = networks_cursor_.first(); entry && network_count_ < kMaxNetworks;
             entry = networks_cursor_.next())
            if (const auto record = store::decode<store::NetworkRecord>(entry->value))
                all_networks_[network_count_++] = *record;
        networks_snapshot_ = snapshot_;
    }
    for (std::size_t i = 0; i < network_count_; ++i)
        if (all_networks_[i].prefix.contains(address)) return &all_networks_[i];
    return nullptr;
}

}  // namespace rouse::worker
