#include "mgmt/store/store.hpp"

#include "mgmt/store/changes.hpp"
#include "mgmt/store/migrate.hpp"
#include "shared/endian.hpp"

namespace rouse::store {
Result<void> Batch::note_change(Table table) {
    const Tables& known = tables();
    const bool followed = table.handle == known.hosts.handle || table.handle == known.leases.handle ||
                          table.handle == known.networks.handle;
    if (!followed || hosts_changed_) return {};
    hosts_changed_ = true;
    const auto stored = txn_->get(known.meta, bytes_of(kHostsGenerationKey));
    if (!stored) return tl::unexpected(stored.error());
    be64 generation;
    if (*stored && (*stored)->size() == sizeof generation)
        std::memcpy(&generation, (*stored)->data(), sizeof generation);
    const be64 next(generation.host() + 1);
    return txn_->put(known.meta, bytes_of(kHostsGenerationKey), bytes_of(next));
}

Result<std::uint64_t> Batch::next_number(std::string_view sequence) {
    const std::string key = "sequence:" + std::string(sequence);
    const auto stored = txn_->get(tables().meta, bytes_of(key));
    if (!stored) return tl::unexpected(stored.error());
    be64 last;
    if (*stored && (*stored)->size() == sizeof last) std::memcpy(&last, (*stored)->data(), sizeof last);
    const be64 next(last.host() + 1);
    if (const auto put = txn_->put(tables().meta, bytes_of(key), bytes_of(next)); !put)
        return tl::unexpected(put.error());
    return next.host();
}

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, std::size_t map_bytes) {
    auto environment = Environment::open(directory, {.access = Access::read_write, .map_bytes = map_bytes});
    if (!environment) return tl::unexpected(environment.error());
    std::unique_ptr<Store> store(new Store(std::move(*environment)));
    if (const auto prepared = store->prepare(directory); !prepared) return tl::unexpected(prepared.error());
    return store;
}

Result<std::unique_ptr<Store>> Store::open_read_only(const std::string& directory) {
    auto environment = Environment::open(directory, {.access = Access::read_only});
    if (!environment) return tl::unexpected(environment.error());
    std::unique_ptr<Store> store(new Store(std::move(*environment)));
    if (const auto prepared = store->prepare_reading(directory); !prepared)
        return tl::unexpected(prepared.error());
    return store;
}

Result<void> Store::prepare(const std::string& directory) {
    auto txn = environment_.begin(Access::read_write);
    if (!txn) return tl::unexpected(txn.error());
    if (auto opened = open_tables(*txn, true); !opened) return opened;
    Batch batch(*txn, *this, realtime_ns());
    const auto found = migrate(batch, directory);
    if (!found) return tl::unexpected(found.error());
    if (auto ensured = ensure_changes(batch); !ensured) return ensured;
    if (auto committed = txn->commit(); !committed) return committed;
    migrated_from_ = *found == kSchemaVersion ? 0 : *found;
    return {};
}

Result<void> Store::prepare_reading(const std::string& directory) {
    auto txn = environment_.begin(Access::read_only);
    if (!txn) return tl::unexpected(txn.error());
    if (auto opened = open_tables(*txn, false); !opened)
        return fail(opened.error().message + "; an older rouse-mgmt wrote the store in " + directory +
                    ", start this one once, which brings it up to date");
    const auto found = schema_version(Batch(*txn, *this, 0), directory);
    if (!found) return tl::unexpected(found.error());
    if (*found < kSchemaVersion)
        return fail("the store in " + directory + " has schema version " + std::to_string(*found) +
                    ", older than this rouse-mgmt's; start it once, which migrates the store");
    return txn->commit();  // so that the tables stay open
}

Result<void> Store::open_tables(Transaction& txn, bool create) {
    auto tables = Tables::open(txn, create);
    if (!tables) return tl::unexpected(tables.error());
    tables_ = *tables;

    struct Entry {
        const char* name;
        Table* table;
    };
    auto documents = [this](Kind kind) { return &own_.documents[static_cast<std::size_t>(kind)]; };
    for (const Entry& entry : {Entry{"documents.clusters", documents(Kind::cluster)},
                               {"documents.machines", documents(Kind::machine)},
                               {"documents.ip_pools", documents(Kind::ip_pool)},
                               {"documents.boot_profiles", documents(Kind::boot_profile)},
                               {"documents.images", documents(Kind::image)},
                               {"documents.users", documents(Kind::user)},
                               {"documents.boot_tokens", documents(Kind::boot_token)},
                               {"documents.settings", documents(Kind::setting)},
                               {"documents.resource_metrics", documents(Kind::resource_metrics)},
                               {"documents.oauth_clients", documents(Kind::oauth_client)},
                               {"documents.audit", documents(Kind::audit)},
                               {"documents.provisioning_requests", documents(Kind::provisioning_request)},
                               {"documents.subscriptions", documents(Kind::subscription)},
                               {"documents.alarms", documents(Kind::alarm)},
                               {"documents.measurement_jobs", documents(Kind::measurement_job)},
                               {"documents.workers", documents(Kind::worker)},
                               {"documents.enrolments", documents(Kind::enrolment)},
                               {"documents.worker_leases", documents(Kind::worker_lease)},
                               {"indices", &own_.indices},
                               {"retired", &own_.retired},
                               {"lease_times", &own_.lease_times},
                               {"lease_former", &own_.lease_former},
                               {"lease_counts", &own_.lease_counts},
                               {"following", &own_.following},
                               {"confirmed", &own_.confirmed},
                               {"changes", &own_.changes},
                               {"timeline_changes", &own_.timeline_changes},
                               {"deletions", &own_.deletions}}) {
        auto table = txn.table(entry.name, create);
        if (!table) return tl::unexpected(table.error());
        *entry.table = *table;
    }
    return {};
}

Result<Snapshot> Store::snapshot() const {
    auto txn = environment_.begin(Access::read_only);
    if (!txn) return tl::unexpected(txn.error());
    return Snapshot(std::make_unique<Transaction>(std::move(*txn)), *this);
}

}  // namespace rouse::store
