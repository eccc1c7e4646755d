#include "mgmt/workers/feed.hpp"

#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"

#include <map>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::workers {

using namespace store;  // NOLINT(google-build-using-namespace): documents and how they are read
using nlohmann::json;

namespace {

struct Followed {
    std::string_view name;
    const Collection* collection;
};
// In the order in which they build on each other.
constexpr Followed kFollowed[] = {{"cluster", &kClusters},
                                  {"ip_pool", &kIpPools},
                                  {"boot_profile", &kBootProfiles},
                                  {"image", &kImages},
                                  {"machine", &kMachines}};

class Answering {
  public:
    Answering(const View& view, const FeedQuery& query) : view_(view), query_(query) {}

    Result<FeedAnswer> run() {
        if (auto found = find_racks(); !found) return tl::unexpected(found.error());
        const auto epoch = identity_of(view_);
        const auto last = last_change(view_);
        const auto resumable = oldest_resumable(view_);
        if (!epoch) return tl::unexpected(epoch.error());
        if (!last) return tl::unexpected(last.error());
        if (!resumable) return tl::unexpected(resumable.error());
        const bool goes_on = query_.epoch == *epoch && query_.after >= *resumable && query_.after <= *last;
        const std::uint64_t after = goes_on ? query_.after : 0;
        if (auto gathered = gather(after); !gathered) return tl::unexpected(gathered.error());
        json out{{"epoch", *epoch},
                 {"sequence", last_},
                 {"tenure_seconds", query_.tenure_seconds},
                 {"more", more_},
                 {"complete", after == 0},
                 {"racks", json::array()},
                 {"documents", json::array()},
                 {"removed", removed_}};
        for (const auto& [id, rack] : racks_)
            out["racks"].push_back({{"cluster", id.to_string()},
                                    {"epoch", rack.value("epoch", std::uint64_t{0})},
                                    {"serving", rack.value("served_by", json()) == query_.worker}});
        // FNV-1a: tells one list from another, and nothing depends on more.
        std::uint64_t mark = 0xcbf29ce484222325;
        for (const char c : out["racks"].dump())
            mark = (mark ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        out["mark"] = std::to_string(mark);
        for (const auto& [name, collection] : kFollowed)
            for (const Id& id : wanted_[collection->kind])
                if (auto added = add(out["documents"], name, *collection, id); !added)
                    return tl::unexpected(added.error());
        const bool is_empty =
            out["documents"].empty() && removed_.empty() && after != 0 && out["mark"] == query_.mark;
        return FeedAnswer{last_, is_empty, out.dump()};
    }

  private:
    Result<void> find_racks() {
        for (const Index* index : {&kClusterByWorker, &kClusterByStandby, &kClusterByHolder}) {
            const auto ids = ids_by(view_, *index, query_.worker);
            if (!ids) return tl::unexpected(ids.error());
            for (const Id& id : *ids) {
                if (racks_.contains(id)) continue;
                auto cluster = find(view_, kClusters, id);
                if (!cluster) return tl::unexpected(cluster.error());
                const auto machines = ids_by(view_, kMachineByCluster, id.to_string());
                if (!machines) return tl::unexpected(machines.error());
                if (!*cluster) continue;
                racks_.emplace(id, std::move((*cluster)->fields));
                members_[id] = *machines;
                machines_.insert(machines->begin(), machines->end());
            }
        }
        return {};
    }

    Result<void> gather(std::uint64_t after) {
        last_ = after;
        std::size_t seen = 0;
        const auto read = changes_after(view_, after, SIZE_MAX, [&](const Change& change) {
            if (concerns(change)) {
                if (seen == query_.limit) {
                    more_ = true;
                    return false;
                }
                ++seen;
                take(change);
            }
            last_ = change.sequence;
            return true;
        });
        if (!read) return read;
        // A rack that it did not follow before: its documents may be older than what it has seen.
        for (const auto& [id, rack] : racks_)
            if (rack.value("_assigned", std::uint64_t{0}) >= after && wanted_[Kind::cluster].contains(id))
                wanted_[Kind::machine].insert(members_[id].begin(), members_[id].end());
        return {};
    }

    [[nodiscard]] bool concerns(const Change& change) const {
        if (change.kind == Kind::cluster) return racks_.contains(change.id);
        if (change.kind == Kind::machine) return machines_.contains(change.id);
        return !feed_name(change.kind).empty();
    }
    void take(const Change& change) {
        if (change.what != Change::What::deleted)
            wanted_[change.kind].insert(change.id);
        else
            removed_.push_back({{"kind", feed_name(change.kind)}, {"id", change.id.to_string()}});
    }

    Result<void> add(json& documents, std::string_view name, const Collection& collection, const Id& id) {
        auto document = find(view_, collection, id);
        if (!document) return tl::unexpected(document.error());
        if (!*document) return {};
        json one{
            {"kind", name}, {"revision", (*document)->revision}, {"fields", std::move((*document)->fields)}};
        if (collection.kind == Kind::ip_pool) one["fields"]["unknown_machines"] = "ignore";
        if (collection.kind == Kind::cluster) {
            one["machines"] = json::array();
            for (const Id& machine : members_[id]) one["machines"].push_back(machine.to_string());
        }
        documents.push_back(std::move(one));
        return {};
    }

    const View& view_;
    const FeedQuery& query_;
    std::map<Id, json> racks_;
    std::map<Id, std::vector<Id>> members_;
    std::set<Id> machines_;
    std::map<Kind, std::set<Id>> wanted_;
    json removed_ = json::array();
    std::uint64_t last_ = 0;
    bool more_ = false;
};

}  // namespace

Result<std::string> identity_of(const View& view) {
    const auto stored = view.txn().get(view.own().following, bytes_of(kIdentityKey));
    if (!stored) return tl::unexpected(stored.error());
    return *stored ? std::string(text_of(**stored)) : std::string();
}

Result<void> ensure_identity(Batch& batch) {
    const auto known = identity_of(batch);
    if (!known) return tl::unexpected(known.error());
    if (!known->empty()) return {};
    return batch.put(batch.own().following, bytes_of(kIdentityKey), bytes_of(Id::make().to_string()));
}

Result<FeedAnswer> feed_answer(const View& view, const FeedQuery& query) {
    return Answering(view, query).run();
}

std::string_view feed_name(Kind kind) noexcept {
    for (const auto& [name, collection] : kFollowed)
        if (collection->kind == kind) return name;
    return {};
}

const Collection* feed_collection(std::string_view name) noexcept {
    for (const auto& [known, collection] : kFollowed)
        if (known == name) return collection;
    return nullptr;
}

}  // namespace rouse::workers
