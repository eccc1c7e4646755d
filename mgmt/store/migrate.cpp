#include "mgmt/store/migrate.hpp"

#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/index_key.hpp"
#include "shared/endian.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace rouse::store {
namespace {

Result<void> index_document(Batch& batch, const Collection& collection, const Document& document) {
    const Table indices = batch.own().indices;
    for (const Index* index : collection.indices) {
        const auto value = index->value(document.fields);
        if (!value) continue;
        const std::string what = "the " + std::string(collection.noun) + " " + document.id.to_string();
        if (value->size() > kMaxIndexedBytes)
            return fail(what + " has too long a value of " + std::string(index->field));
        const std::string key = index_key(*index, *value, document.id);
        const auto owner = batch.txn().get(indices, bytes_of(key));
        if (!owner) return tl::unexpected(owner.error());
        if (*owner) return fail(what + " and another one have the same " + std::string(index->field));
        if (auto put = batch.put(indices, bytes_of(key), bytes_of(document.id)); !put) return put;
    }
    return {};
}

// Indices came to kinds that had documents already, which are not in them.
Result<void> rebuild_indices(Batch& batch) {
    if (const int code = mdb_drop(batch.txn().raw(), batch.own().indices.handle, 0); code != 0)
        return fail(std::string("cannot empty the indices: ") + mdb_strerror(code));
    for (const Collection* collection : all_collections()) {
        Result<void> put;
        const auto listed = for_each(batch, *collection, std::nullopt, [&](const Document& document) {
            put = index_document(batch, *collection, document);
            return put.has_value();
        });
        if (!listed) return listed;
        if (!put) return put;
    }
    return {};
}

// Changes came to have the revision of their document, and lost a table that said which is its newest.
Result<void> rebuild_changes(Batch& batch) {
    const auto former = batch.txn().table("newest_changes", false);
    if (former)
        if (const int code = mdb_drop(batch.txn().raw(), former->handle, 1); code != 0)
            return fail(std::string("cannot drop a former table: ") + mdb_strerror(code));
    return drop_changes(batch);
}

struct Step {
    std::uint32_t from;  // to the version after it
    Result<void> (*run)(Batch& batch);
};
// Version 1 was never in use.
constexpr std::array kSteps{Step{2, rebuild_indices}, Step{3, rebuild_changes}};

std::string naming(const std::string& directory, std::uint32_t version) {
    return "the store in " + directory + " has schema version " + std::to_string(version);
}

}  // namespace

Result<std::uint32_t> schema_version(const View& view, const std::string& directory) {
    const auto stored = view.txn().get(view.tables().meta, bytes_of(kSchemaVersionKey));
    if (!stored) return tl::unexpected(stored.error());
    if (!*stored) return kSchemaVersion;
    be32 version;
    if ((*stored)->size() != sizeof version)
        return fail("the store in " + directory +
                    " is damaged: its schema version cannot be read; restore a backup");
    std::memcpy(&version, (*stored)->data(), sizeof version);
    if (version.host() > kSchemaVersion)
        return fail(naming(directory, version.host()) + ", this rouse-mgmt knows " +
                    std::to_string(kSchemaVersion) +
                    "; run the rouse version that wrote it, or restore a backup that fits this one");
    return version.host();
}

Result<std::uint32_t> migrate(Batch& batch, const std::string& directory) {
    const auto found = schema_version(batch, directory);
    if (!found) return found;
    for (std::uint32_t version = *found; version < kSchemaVersion; ++version) {
        const auto step = std::find_if(kSteps.begin(), kSteps.end(),
                                       [version](const Step& one) { return one.from == version; });
        if (step == kSteps.end())
            return fail(naming(directory, *found) +
                        ", which is too old for this rouse-mgmt; restore a backup");
        if (auto done = step->run(batch); !done)
            return fail(naming(directory, *found) +
                        " and cannot be migrated, it is left as it was: " + done.error().message);
    }
    const be32 now(kSchemaVersion);
    const auto put = batch.txn().put(batch.tables().meta, bytes_of(kSchemaVersionKey), bytes_of(now));
    if (!put) return tl::unexpected(put.error());
    return found;
}

}  // namespace rouse::store
