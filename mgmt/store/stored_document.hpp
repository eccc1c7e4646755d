#pragma once
// Documents as they are stored, for answers that need no more than their text: nothing is parsed.

#include "mgmt/store/collections.hpp"
#include "mgmt/store/id.hpp"
#include "mgmt/store/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::store {

// A view into the store: valid until the transaction ends that it was read in.
struct StoredDocument {
    Id id;
    std::uint64_t revision = 0;
    std::string_view
        members;  // what clients see of a JSON object, from its first member to its closing brace

    // Appends the object that clients see.
    void append_to(std::string& out) const { out.append("{").append(members); }
};

// What is stored of a document; nothing: it is damaged. Valid as long as VALUE.
struct StoredValue {
    std::uint64_t revision = 0;
    std::string_view json;
};
[[nodiscard]] std::optional<StoredValue> split_stored(Bytes value);

// 0: there is no such document, or no document is of that kind.
[[nodiscard]] Result<std::uint64_t> stored_revision(const View& view, Kind kind, const Id& id);

[[nodiscard]] Result<std::optional<StoredDocument>> find_stored(const View& view,
                                                                const Collection& collection, Id id);

// Returns false to stop.
using VisitStored = std::function<bool(const StoredDocument& document)>;
// In order of creation, beginning after AFTER.
Result<void> for_each_stored(const View& view, const Collection& collection, std::optional<Id> after,
                             const VisitStored& visit);

}  // namespace rouse::store
