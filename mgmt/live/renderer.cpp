#include "mgmt/live/renderer.hpp"

#include "mgmt/events/timeline.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <nlohmann/json.hpp>

namespace rouse::live {
namespace {

using store::Change;
using store::Kind;

constexpr std::size_t kMaxRemembered = 100'000;

const store::Collection* collection_of(Kind kind) {
    for (const auto* collection :
         {&store::kClusters, &store::kMachines, &store::kIpPools, &store::kBootProfiles, &store::kImages})
        if (collection->kind == kind) return collection;
    return nullptr;
}

std::string_view name_of(Change::What what) {
    switch (what) {
        case Change::What::created:
            return "created";
        case Change::What::updated:
            return "updated";
        case Change::What::deleted:
            return "deleted";
    }
    return "updated";
}

// A member is JSON already: MEMBER is its name, empty for none.
MessagePtr make(const Change& change, Change::What what, std::string_view member, std::string_view value) {
    auto message = std::make_shared<Message>();
    message->sequence = change.sequence;
    message->made_ns = monotonic_ns();
    message->kind = change.kind;
    message->id = change.id;
    message->former_cluster = change.former_cluster;
    std::string& text = message->json;
    text.reserve(160 + value.size());
    text.append(R"({"sequence":)").append(std::to_string(change.sequence));
    text.append(R"(,"time":")").append(store::to_timestamp(change.time_ns));
    text.append(R"(","kind":")").append(kind_name(change.kind));
    text.append(R"(","id":")").append(change.id.to_string());
    text.append(R"(","what":")").append(name_of(what)).append("\"");
    if (!member.empty()) text.append(",\"").append(member).append("\":").append(value);
    text.append("}");
    return message;
}

}  // namespace

Result<store::Id> Renderer::cluster_of(const store::View& view, const store::Id& machine) {
    if (const auto known = clusters_.find(machine); known != clusters_.end()) return known->second;
    const auto document = store::find(view, store::kMachines, machine);
    if (!document) return tl::unexpected(document.error());
    const auto cluster =
        *document ? store::Id::parse((*document)->text("cluster")).value_or(store::Id{}) : store::Id{};
    if (meets_all_ && clusters_.size() < kMaxRemembered) clusters_[machine] = cluster;
    return cluster;
}

Result<void> Renderer::render(const store::View& view, const Change& change, std::vector<MessagePtr>& into) {
    if (change.kind == Kind::timeline) return render_timeline(view, change, into);
    if (change.kind == Kind::machine) clusters_.erase(change.id);
    const store::Collection* collection = collection_of(change.kind);
    if (collection == nullptr || kind_name(change.kind).empty()) return {};
    if (change.what != Change::What::deleted) {
        const auto document = store::find(view, *collection, change.id);
        if (!document) return tl::unexpected(document.error());
        if (!*document) return {};  // its deletion follows
        const auto& fields = (*document)->fields;
        into.push_back(make(change, change.what, "object", visible_(fields).dump()));
        if (change.kind == Kind::machine)
            into.back()->cluster = store::Id::parse((*document)->text("cluster")).value_or(store::Id{});
        return {};
    }
    into.push_back(make(change, change.what, {}, {}));
    return {};
}

Result<void> Renderer::render_timeline(const store::View& view, const Change& change,
                                       std::vector<MessagePtr>& into) {
    std::uint64_t first = change.first_entry;
    std::uint64_t last = change.last_entry;
    if (last == 0) {
        const auto boot = events::read_boot(view, tables_, change.id);
        if (!boot) return tl::unexpected(boot.error());
        if (!*boot) return {};
        first = last = (*boot)->last_sequence;
    }
    const auto cluster = cluster_of(view, change.id);
    if (!cluster) return tl::unexpected(cluster.error());
    for (std::uint64_t entry = first; entry <= last; ++entry) {
        const auto page = events::read_timeline(view, tables_, change.id, entry - 1, 1);
        if (!page) return tl::unexpected(page.error());
        if (page->last_sequence != entry) continue;  // so old that it was dropped already
        const auto told = std::string_view(page->json).substr(1, page->json.size() - 2);  // of an array
        into.push_back(make(change, Change::What::created, "entry", told));
        into.back()->cluster = *cluster;
    }
    return {};
}

}  // namespace rouse::live
