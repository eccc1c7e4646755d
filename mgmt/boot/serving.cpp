#include "mgmt/boot/serving.hpp"

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/store/changes.hpp"
#include "shared/clock.hpp"
#include "shared/endian.hpp"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

constexpr const char* kFences = "_fences";

std::string text_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<std::optional<Document>> cluster_of(const View& view, const json& machine) {
    const auto id = Id::parse(text_in(machine, "cluster"));
    return id ? find(view, kClusters, *id) : Result<std::optional<Document>>{};
}

// The first fence that stands, of the machine's own and of its cluster's.
Result<std::optional<Fence>> standing_fence(const Batch& batch, const json& machine) {
    auto fences = fences_of(machine);
    const auto cluster = cluster_of(batch, machine);
    if (!cluster) return tl::unexpected(cluster.error());
    if (*cluster)
        for (auto& fence : fences_of((*cluster)->fields)) fences.push_back(std::move(fence));
    for (auto& fence : fences) {
        const auto standing = stands(batch, fence, batch.now_ns());
        if (!standing) return tl::unexpected(standing.error());
        if (*standing) return std::optional(std::move(fence));
    }
    return std::optional<Fence>{};
}

std::uint64_t tenure_seconds(const json& cluster) {
    return cluster.value("_tenure", std::uint64_t{0});
}

}  // namespace

std::vector<Fence> fences_of(const json& fields) {
    std::vector<Fence> out;
    const auto found = fields.find(kFences);
    if (found == fields.end() || !found->is_array()) return out;
    for (const auto& one : *found)
        out.push_back({one.value("worker", std::string()), one.value("until_ns", std::uint64_t{0}),
                       one.value("after", std::uint64_t{0})});
    return out;
}

void set_fences(json& fields, const std::vector<Fence>& fences) {
    fields.erase(kFences);
    for (const auto& fence : fences)
        fields[kFences].push_back(
            {{"worker", fence.worker}, {"until_ns", fence.until_ns}, {"after", fence.after}});
}

Result<std::uint64_t> confirmed_by(const View& view, std::string_view worker) {
    const auto stored = view.txn().get(view.own().confirmed, bytes_of(worker));
    if (!stored) return tl::unexpected(stored.error());
    be64 sequence(0);
    if (*stored && (*stored)->size() == sizeof sequence)
        std::memcpy(&sequence, (*stored)->data(), sizeof sequence);
    return sequence.host();
}

Result<void> set_confirmed(Batch& batch, std::string_view worker, std::uint64_t sequence) {
    const be64 value(sequence);
    return batch.put(batch.own().confirmed, bytes_of(worker), bytes_of(value));
}

Result<bool> stands(const View& view, const Fence& fence, std::uint64_t now_ns) {
    if (now_ns >= fence.until_ns) return false;
    const auto confirmed = confirmed_by(view, fence.worker);
    if (!confirmed) return tl::unexpected(confirmed.error());
    return *confirmed <= fence.after;
}

Outcome<bool> is_served_here(const View& view, const Appliance& appliance, const json& machine) {
    if (machine.value("_held", false)) return false;
    const auto cluster = cluster_of(view, machine);
    if (!cluster) return pass_on(cluster.error());
    const std::string holder = *cluster ? (*cluster)->text("served_by") : std::string();
    return holder.empty() ? !appliance.is_worker() : holder == appliance.id();
}

Outcome<void> check_may_move(Batch& batch, const json& machine) {
    const auto fence = standing_fence(batch, machine);
    if (!fence) return pass_on(fence.error());
    if (!*fence) return {};
    return refuse(Failure::Kind::conflict,
                  "the worker " + (*fence)->worker +
                      ", which cannot be told, may still serve this machine as it is; wait until it is back, "
                      "or until " +
                      to_timestamp((*fence)->until_ns));
}

Outcome<void> check_may_join(Batch& batch, const json& machine) {
    const auto fence = standing_fence(batch, machine);
    if (!fence) return pass_on(fence.error());
    if (!*fence) return {};
    const auto mac = MacAddress::parse(text_in(machine, "mac"));
    const auto pools = all_pools(batch);
    if (!pools) return pass_on(pools.error());
    for (const Pool& pool : *pools) {
        const auto former =
            mac ? former_address(batch, *mac, pool.network.id) : Result<std::optional<Ipv4Address>>{};
        if (!former) return pass_on(former.error());
        const std::string wanted = text_in(machine, "ip");
        if (*former && !wanted.empty() && (*former)->to_string() != wanted)
            return refuse(Failure::Kind::conflict,
                          "the worker " + (*fence)->worker + " may still give this machine " +
                              (*former)->to_string() + "; leave ip out, or wait until " +
                              to_timestamp((*fence)->until_ns),
                          "/ip");
    }
    return {};
}

Outcome<void> note_address_change(Batch& batch, json& machine) {
    const auto sequence = last_change(batch);
    if (!sequence) return pass_on(sequence.error());
    machine["_addressed"] = *sequence;
    return {};
}

Outcome<void> note_leaving(Batch& batch, const json& machine, json* now) {
    auto cluster = cluster_of(batch, machine);
    if (!cluster) return pass_on(cluster.error());
    const bool is_followed =
        *cluster && (!(*cluster)->text("worker").empty() || !(*cluster)->text("standby").empty() ||
                     !(*cluster)->text("served_by").empty());
    if (!is_followed) return {};
    const auto sequence = last_change(batch);
    if (!sequence) return pass_on(sequence.error());
    const std::string holder = (*cluster)->text("served_by");
    const std::uint64_t tenure = tenure_seconds((*cluster)->fields);
    if (now != nullptr && tenure != 0) {
        auto fences = fences_of(*now);
        std::erase_if(fences, [&](const Fence& fence) { return fence.until_ns <= batch.now_ns(); });
        fences.push_back({holder, batch.now_ns() + tenure * kNanosPerSecond, *sequence});
        set_fences(*now, fences);
    }
    // The document comes with the list of its machines (see mgmt/workers/feed.hpp).
    (*cluster)->fields["_left"] = *sequence;
    const auto updated = update(batch, kClusters, std::move(**cluster));
    return updated ? Outcome<void>{} : pass_on(updated.error());
}

Result<std::uint64_t> promised_elsewhere(Batch& batch, const json& machine, NetworkId network) {
    const auto cluster = cluster_of(batch, machine);
    if (!cluster) return tl::unexpected(cluster.error());
    const std::uint64_t tenure = *cluster ? tenure_seconds((*cluster)->fields) : 0;
    if (tenure == 0) return std::uint64_t{0};
    const be32 key(network);
    const auto record = batch.record<NetworkRecord>(batch.tables().networks, bytes_of(key));
    if (!record) return tl::unexpected(record.error());
    return batch.now_unix() + tenure + (*record ? (*record)->lease_seconds : 0);
}

}  // namespace rouse::boot
