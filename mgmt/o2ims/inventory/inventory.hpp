#pragma once
// The appliance's objects as the O-Cloud's inventory: servers are resources from their first DISCOVER on,
// clusters are resource pools, and what servers are made of gives resource types. Kept in memory, brought up
// to date from the store's feed of changes whenever somebody looks, so that a filter on any attribute reads
// no document.

#include "mgmt/events/tables.hpp"
#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/o2ims/inventory/resource_view.hpp"
#include "mgmt/store/change.hpp"
#include "mgmt/store/store.hpp"
#include "shared/addresses.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

class Inventory {
  public:
    using Objects = std::map<std::string, nlohmann::json>;  // by id

    // A server: all of it as text (see query/object_text.hpp), and what is asked of it again and again.
    struct Resource {
        std::string type, pool;               // their ids
        std::string mac;                      // of the interface that it boots by
        std::optional<store::Id> machine;     // nothing: nobody registered it
        std::string text;                     // ResourceInfo
        std::vector<std::string> part_types;  // ids of its elements' types, each once
    };

    using Resources = std::map<std::string, Resource>;  // by id

    struct State {
        Objects types;
        Objects pools;
        Resources resources;
        // By the pool's id, then by their own: entries of RESOURCES, which stay where they are.
        std::map<std::string, std::map<std::string_view, const Resources::value_type*>> by_pool;
        Objects sites;
        Objects locations;
    };

    // Ids of what may have changed.
    struct Touched {
        bool all = true;  // everything may have; the others say nothing then
        std::set<std::string> types, pools, resources;
    };

    // STORE outlives this.
    Inventory(store::Store& store, events::EventTables tables, Cloud cloud);

    [[nodiscard]] const Cloud& cloud() const noexcept { return cloud_; }
    // Calls LOOK(const State&) with what is so now. Any thread; LOOK must not wait for anything.
    template <typename Look>
    Result<void> read(Look&& look) {
        if (auto refreshed = refresh(); !refreshed) return refreshed;
        const std::shared_lock lock(mutex_);
        look(static_cast<const State&>(state_));
        return {};
    }
    // The same for one who follows: LOOK(const State&, const Touched&) is told what may have changed since
    // the last time.
    template <typename Look>
    Result<void> read_changed(Look&& look) {
        if (auto refreshed = refresh(); !refreshed) return refreshed;
        const std::unique_lock lock(mutex_);
        look(static_cast<const State&>(state_), static_cast<const Touched&>(touched_));
        touched_ = {.all = false, .types = {}, .pools = {}, .resources = {}};
        return {};
    }
    // The resource that the server with this hardware address is, registered or not.
    [[nodiscard]] std::string resource_id(const MacAddress& mac) const;
    // The pool of servers that are in no cluster.
    [[nodiscard]] const std::string& unassigned_pool() const noexcept { return unassigned_; }

  private:
    static constexpr std::uint64_t kStrangersEveryNs = 1'000'000'000;

    Result<void> refresh();
    Result<void> read_anew(const store::View& view);
    Result<void> apply(const store::View& view, const store::Change& change);
    Result<void> apply_cluster(const store::View& view, const store::Id& id);
    Result<void> apply_machine(const store::View& view, const store::Id& id);
    Result<void> refresh_strangers(const store::View& view);
    void put_resource(const ResourceView& seen);
    void drop_resource(const std::string& id);
    void release_type(const std::string& id);
    void update_places();
    void touch(std::set<std::string> Touched::*of, const std::string& id) {
        if (!touched_.all) (touched_.*of).insert(id);  // unless nobody follows
    }

    store::Store* store_;
    events::EventTables tables_;
    Cloud cloud_;
    std::string site_, location_, unassigned_;

    std::shared_mutex mutex_;  // all below
    State state_;
    Touched touched_;
    std::map<std::string, std::string> resource_of_;  // by the machine's id
    std::map<std::string, std::size_t> users_;        // of a type, by its id
    std::set<std::string> strangers_;                 // resources of servers that nobody registered
    std::uint64_t sequence_ = 0;                      // changes up to this one are in
    bool is_empty_ = true;
    std::uint64_t strangers_ns_ = 0;  // monotonic; when they were read
};

}  // namespace rouse::o2ims
