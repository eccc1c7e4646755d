#include "mgmt/o2ims/inventory/inventory_events.hpp"

#include "mgmt/http/json_text.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace rouse::o2ims {

using nlohmann::json;
using store::bytes_of;

namespace {

constexpr std::string_view kBegun =
    "inventory";                          // in `states`: what is told has been kept since somebody subscribed
constexpr std::size_t kTellAtOnce = 256;  // objects of one operation
constexpr auto kMerge = std::chrono::milliseconds(20);  // changes that come so close are told as one
constexpr auto kLookEvery = std::chrono::seconds(1);    // strangers come and go without a change of the store

constexpr const char* kKinds[] = {"ResourceTypeInfo", "ResourcePoolInfo", "ResourceInfo"};

const std::set<std::string>& touched_of(const Inventory::Touched& touched, std::string_view kind) {
    if (kind == kKinds[0]) return touched.types;
    return kind == kKinds[1] ? touched.pools : touched.resources;
}

std::string key_of(const std::string& kind, const std::string& id) {
    return kind + "/" + id;
}

std::string text_of_object(const json& object) {
    return http::to_text(object);
}
const std::string& text_of_object(const Inventory::Resource& resource) {
    return resource.text;
}

// Calls VISIT with the map of STATE that holds objects of KIND, by id.
template <typename Visit>
void visit_objects(const Inventory::State& state, std::string_view kind, Visit&& visit) {
    if (kind == kKinds[0]) return visit(state.types);
    if (kind == kKinds[1]) return visit(state.pools);
    visit(state.resources);
}

}  // namespace

InventoryEvents::InventoryEvents(store::Writer& writer, Inventory& inventory, Delivery& delivery)
    : writer_(&writer), inventory_(&inventory), delivery_(&delivery) {}

InventoryEvents::~InventoryEvents() {
    stop();
}

void InventoryEvents::start() {
    changes_ = writer_->changes().subscribe([this](std::span<const store::Change> changes) {
        const bool ours = std::any_of(changes.begin(), changes.end(), [](const store::Change& change) {
            return change.kind == store::Kind::machine || change.kind == store::Kind::cluster ||
                   change.kind == store::Kind::subscription;
        });
        if (!ours) return;
        const std::lock_guard lock(mutex_);
        is_due_ = true;
        changed_.notify_one();
    });
    thread_ = std::thread([this] { loop(); });
}

void InventoryEvents::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    changes_ = {};
}

void InventoryEvents::loop() {
    std::string told;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, kLookEvery, [this] { return is_due_ || stopping_; });
            if (changed_.wait_for(lock, kMerge, [this] { return stopping_; })) return;
            is_due_ = false;
        }
        const auto turned = turn();
        const std::string trouble = turned ? "" : turned.error().message;
        if (trouble != told && !trouble.empty())
            spdlog::error("changes of the inventory cannot be told: {}; trying again", trouble);
        told = trouble;
    }
}

Result<bool> InventoryEvents::has_begun() {
    const auto snapshot = writer_->store().snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const auto begun = read_state(*snapshot, delivery_->tables(), kBegun);
    if (!begun) return tl::unexpected(begun.error());
    return !begun->empty();
}

Result<void> InventoryEvents::begin() {
    const auto begun = has_begun();
    if (!begun) return tl::unexpected(begun.error());
    return *begun ? Result<void>{} : turn();
}

Result<void> InventoryEvents::turn() {
    const std::lock_guard one_at_a_time(turning_);
    const auto begun = has_begun();
    if (!begun) return tl::unexpected(begun.error());
    if (!*begun) {
        const auto snapshot = writer_->store().snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        const auto ids = store::ids_by(*snapshot, store::kSubscriptionByService, kInventoryService);
        if (!ids) return tl::unexpected(ids.error());
        if (ids->empty()) return {};
    }
    std::vector<Object> objects;
    // Until all of it is told, the next turn has to look at everything.
    const bool all = std::exchange(is_first_, true);
    if (auto looked = look(objects, all); !looked) return looked;
    if (auto told = tell(objects, !*begun); !told) return told;
    is_first_ = false;
    return {};
}

Result<void> InventoryEvents::look(std::vector<Object>& out, bool all) {
    std::vector<Object> gone;
    const auto read =
        inventory_->read_changed([&](const Inventory::State& state, const Inventory::Touched& touched) {
            all = all || touched.all;
            for (const std::string kind : kKinds)
                visit_objects(state, kind, [&](const auto& objects) {
                    if (all) {
                        for (const auto& [id, object] : objects)
                            out.push_back({kind, id, text_of_object(object)});
                        return;
                    }
                    for (const auto& id : touched_of(touched, kind)) {
                        const auto found = objects.find(id);
                        if (found == objects.end())
                            gone.push_back({kind, id, ""});
                        else
                            out.push_back({kind, id, text_of_object(found->second)});
                    }
                });
        });
    if (!read) return read;
    if (all) return add_forgotten(out);
    // What stands on others goes first.
    std::move(gone.rbegin(), gone.rend(), std::back_inserter(out));
    return {};
}

// What was told of and is not there any more.
Result<void> InventoryEvents::add_forgotten(std::vector<Object>& out) {
    std::set<std::string> there;
    for (const auto& object : out) there.insert(key_of(object.kind, object.id));
    const auto snapshot = writer_->store().snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    return store::scan(snapshot->txn(), delivery_->tables().told, {}, [&](store::Bytes key, store::Bytes) {
        const std::string text(store::text_of(key));
        const auto slash = text.find('/');
        if (!there.contains(text) && slash != std::string::npos)
            out.push_back({text.substr(0, slash), text.substr(slash + 1), ""});
        return true;
    });
}

// Rendered here and not in the operation, for which everybody waits.
Result<void> InventoryEvents::tell(const std::vector<Object>& objects, bool is_baseline) {
    const OutboxTables tables = delivery_->tables();
    for (std::size_t first = 0; first < objects.size(); first += kTellAtOnce) {
        std::vector<Told> told;
        {
            const auto snapshot = writer_->store().snapshot();
            if (!snapshot) return tl::unexpected(snapshot.error());
            const std::size_t end = std::min(objects.size(), first + kTellAtOnce);
            for (std::size_t i = first; i < end; ++i) {
                const Object& object = objects[i];
                std::string key = key_of(object.kind, object.id);
                const auto stored = snapshot->txn().get(tables.told, bytes_of(key));
                if (!stored) return tl::unexpected(stored.error());
                const std::string before = *stored ? std::string(store::text_of(**stored)) : "";
                if (before == object.now) continue;
                told.push_back({std::move(key),
                                object.now,
                                {kInventoryService, object.kind,
                                 is_baseline ? std::string() : body_of(object, before)}});
            }
        }
        if (told.empty()) continue;
        const auto stored = writer_->run([&](store::Batch& batch) -> Result<void> {
            for (const Told& one : told) {
                if (!is_baseline)
                    if (auto put = append(batch, tables, one.notification); !put) return put;
                if (!one.now.empty()) {
                    if (auto put = batch.put(tables.told, bytes_of(one.key), bytes_of(one.now)); !put)
                        return put;
                } else if (auto removed = batch.remove(tables.told, bytes_of(one.key)); !removed) {
                    return tl::unexpected(removed.error());
                }
            }
            return {};
        });
        if (!stored) return stored;
        delivery_->wake();
    }
    if (!is_baseline) return {};
    return writer_->run([&](store::Batch& batch) { return write_state(batch, tables, kBegun, "begun"); });
}

std::string InventoryEvents::body_of(const Object& object, const std::string& before) const {
    enum : int { create, modify, remove };
    json body{{"notificationId", store::Id::make().to_string()}};
    const bool is_gone = object.now.empty();
    body["notificationEventType"] = is_gone ? remove : before.empty() ? create : modify;
    if (!before.empty()) body["priorObjectState"] = json::parse(before, nullptr, false);
    if (!is_gone) {
        body["postObjectState"] = json::parse(object.now, nullptr, false);
        body["objectRef"] = reference(object, body["postObjectState"]);
    }
    return http::to_text(body);
}

std::string InventoryEvents::reference(const Object& object, const json& state) const {
    std::string out = inventory_->cloud().service_uri;
    while (out.ends_with('/')) out.pop_back();
    out += "/o2ims-infrastructureInventory/v1/";
    if (object.kind == kKinds[0]) return out + "resourceTypes/" + object.id;
    if (object.kind == kKinds[1]) return out + "resourcePools/" + object.id;
    return out + "resourcePools/" + state.value("resourcePoolId", "") + "/resources/" + object.id;
}

}  // namespace rouse::o2ims
