#include "mgmt/store/copy.hpp"

#include "shared/endian.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace rouse::store {
namespace {

tl::unexpected<Error> failed(const char* what, int code) {
    return fail(std::string(what) + ": " + mdb_strerror(code));
}

// LMDB keeps the names of tables as the keys of one that has none.
Result<std::vector<std::string>> table_names(const Transaction& txn) {
    Table names;
    if (const int code = mdb_dbi_open(txn.raw(), nullptr, 0, &names.handle); code != 0)
        return failed("cannot list the store's tables", code);
    std::vector<std::string> out;
    const auto scanned = scan(txn, names, {}, [&out](Bytes key, Bytes) {
        out.emplace_back(text_of(key));
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return out;
}

Result<std::uint64_t> hosts_generation(const View& view) {
    const auto stored = view.txn().get(view.tables().meta, bytes_of(kHostsGenerationKey));
    if (!stored) return tl::unexpected(stored.error());
    be64 generation;
    if (*stored && (*stored)->size() == sizeof generation)
        std::memcpy(&generation, (*stored)->data(), sizeof generation);
    return generation.host();
}

Result<void> replace_table(Transaction& to, const Transaction& from, const std::string& name) {
    const auto table = to.table(name.c_str());
    if (!table) return tl::unexpected(table.error());
    if (const int code = mdb_drop(to.raw(), table->handle, 0); code != 0)
        return failed("cannot empty a table", code);
    Table source;
    const int code = mdb_dbi_open(from.raw(), name.c_str(), 0, &source.handle);
    if (code == MDB_NOTFOUND) return {};  // of something that had not been used when the copy was made
    if (code != 0) return failed("cannot open a table of the copy", code);
    Result<void> put;
    const auto scanned = scan(from, source, {}, [&](Bytes key, Bytes value) {
        put = to.put(*table, key, value);
        return put.has_value();
    });
    return scanned ? put : scanned;
}

}  // namespace

Result<void> copy_store(const Store& store, int descriptor) {
    const int code = mdb_env_copyfd2(store.environment().raw(), descriptor, MDB_CP_COMPACT);
    return code == 0 ? Result<void>() : failed("cannot copy the store", code);
}

Result<void> become(Batch& batch, const Store& copy) {
    const auto from = copy.snapshot();
    if (!from) return tl::unexpected(from.error());
    const auto names = table_names(batch.txn());
    if (!names) return tl::unexpected(names.error());
    const auto ours = hosts_generation(batch);
    if (!ours) return tl::unexpected(ours.error());
    const auto theirs = hosts_generation(*from);
    if (!theirs) return tl::unexpected(theirs.error());
    // Whoever remembers hosts looks anew: never the same number again, though it is in the copy, too. Also
    // the first write, so that the operation counts as one that has written whatever happens from here.
    const be64 next(std::max(*ours, *theirs) + 1);
    const auto note = [&] {
        return batch.txn().put(batch.tables().meta, bytes_of(kHostsGenerationKey), bytes_of(next));
    };
    if (auto noted = note(); !noted) return noted;
    for (const auto& name : *names)
        if (auto replaced = replace_table(batch.txn(), from->txn(), name); !replaced) return replaced;
    return note();
}

}  // namespace rouse::store
