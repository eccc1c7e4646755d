#include "mgmt/store/check.hpp"

#include "mgmt/store/changes.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/index_key.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

namespace rouse::store {
namespace {

// Documents that whoever follows the store meets.
using Told = std::set<std::pair<Kind, Id>>;

Result<Told> told_by_changes(const View& view) {
    Told told;
    const auto read = changes_after(view, 0, SIZE_MAX, [&told](const Change& change) {
        if (change.what != Change::What::deleted) told.emplace(change.kind, change.id);
        return true;
    });
    if (!read) return tl::unexpected(read.error());
    return told;
}

Result<void> check_document(const View& view, const Collection& collection, const Document& document,
                            const Told& told, StoreCheck& check) {
    const std::string what = std::string(collection.noun) + " " + document.id.to_string();
    if (document.text("id") != document.id.to_string()) check.add(what + " says that it is another");
    if (document.revision == 0) check.add(what + " has no revision");
    for (const Index* index : collection.indices) {
        const auto value = index->value(document.fields);
        if (!value) continue;
        ++check.entries;
        const auto entry =
            view.txn().get(view.own().indices, bytes_of(index_key(*index, *value, document.id)));
        if (!entry) return tl::unexpected(entry.error());
        if (!*entry || to_id(**entry) != document.id)
            check.add(what + " is not found by its " + std::string(index->field) + " (index " +
                      std::to_string(index->number) + ")");
    }
    if (is_in_feed(collection.kind) && !told.contains({collection.kind, document.id}))
        check.add(what + " is missing from the feed of changes");
    return {};
}

Result<void> check_collection(const View& view, const Collection& collection, const Told& told,
                              StoreCheck& check) {
    std::vector<Id> ids;
    const auto listed = for_each_key(view, collection, [&ids](Id id) {
        ids.push_back(id);
        return true;
    });
    if (!listed) return listed;
    const auto rows = count(view, collection);
    if (!rows) return tl::unexpected(rows.error());
    if (*rows != ids.size())
        check.add(std::to_string(*rows - ids.size()) + " entries of kind " + std::string(collection.noun) +
                  " have no id");
    check.counts.push_back({collection.noun, ids.size()});
    for (const Id& id : ids) {
        const auto document = find(view, collection, id);
        if (!document)
            check.add(document.error().message);
        else if (auto checked = check_document(view, collection, **document, told, check); !checked)
            return checked;
    }
    return {};
}

// Whether a document accounts for this entry of table `indices`.
Result<bool> is_accounted_for(const View& view, Bytes key, Bytes value) {
    const auto id = to_id(value);
    if (!id || key.size() < 3) return false;
    for (const Collection* collection : all_collections()) {
        for (const Index* index : collection->indices) {
            if (static_cast<std::byte>(index->kind) != key[0] ||
                static_cast<std::byte>(index->number) != key[1])
                continue;
            const auto document = find(view, *collection, *id);
            if (!document) return true;  // told of already
            const auto wanted = *document ? index->value((*document)->fields) : std::nullopt;
            return wanted && index_key(*index, *wanted, *id) == text_of(key);
        }
    }
    return false;
}

std::string described(Bytes key) {
    const auto text = text_of(key.subspan(std::min<std::size_t>(2, key.size())));
    return "index " + (key.size() < 2 ? "?" : std::to_string(static_cast<unsigned>(key[1]))) + " of kind " +
           (key.empty() ? "?" : std::to_string(static_cast<unsigned>(key[0]))) + " has \"" +
           std::string(text.substr(0, text.find('\0'))) + "\", which no document has";
}

}  // namespace

Result<StoreCheck> check_documents(const View& view) {
    StoreCheck check;
    const auto told = told_by_changes(view);
    if (!told) return tl::unexpected(told.error());
    for (const Collection* collection : all_collections())
        if (auto checked = check_collection(view, *collection, *told, check); !checked)
            return tl::unexpected(checked.error());
    const auto entries = view.txn().count(view.own().indices);
    if (!entries) return tl::unexpected(entries.error());
    // Every value that a document has was looked up, so as many entries are just those.
    if (*entries == check.entries && check.is_good()) return check;
    Result<void> looked;
    const auto scanned = scan(view.txn(), view.own().indices, {}, [&](Bytes key, Bytes value) {
        const auto known = is_accounted_for(view, key, value);
        if (!known) looked = tl::unexpected(known.error());
        if (known && !*known) check.add(described(key));
        return looked.has_value();
    });
    if (!scanned) return tl::unexpected(scanned.error());
    if (!looked) return tl::unexpected(looked.error());
    return check;
}

}  // namespace rouse::store
