#include "mgmt/store/check.hpp"

#include "mgmt/store/documents.hpp"
#include "mgmt/store/index_key.hpp"

#include <array>
#include <cstring>

namespace rouse::store {
namespace {

constexpr std::array kCollections{&kClusters, &kMachines, &kIpPools,    &kBootProfiles,
                                  &kImages,   &kUsers,    &kBootTokens, &kSettings};
static_assert(kCollections.size() == kKinds - 1, "a kind of document that is not checked");

Result<void> check_document(const View& view, const Collection& collection, const Document& document,
                            StoreCheck& check) {
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
        const Bytes id = bytes_of(document.id);
        if (!*entry || (*entry)->size() != id.size() ||
            std::memcmp((*entry)->data(), id.data(), id.size()) != 0)
            check.add(what + " is not found by its " + std::string(index->field) + " (index " +
                      std::to_string(index->number) + ")");
    }
    return {};
}

}  // namespace

Result<StoreCheck> check_documents(const View& view) {
    StoreCheck check;
    for (const Collection* collection : kCollections) {
        std::vector<Id> ids;
        const auto listed = for_each_key(view, *collection, [&ids](Id id) {
            ids.push_back(id);
            return true;
        });
        if (!listed) return tl::unexpected(listed.error());
        for (const Id& id : ids) {
            const auto document = find(view, *collection, id);
            ++check.documents;
            if (!document)
                check.add(document.error().message);
            else if (auto checked = check_document(view, *collection, **document, check); !checked)
                return tl::unexpected(checked.error());
        }
    }
    const auto entries = view.txn().count(view.own().indices);
    if (!entries) return tl::unexpected(entries.error());
    if (*entries != check.entries)
        check.add("the indices hold " + std::to_string(*entries) + " entries, the documents account for " +
                  std::to_string(check.entries));
    return check;
}

}  // namespace rouse::store
