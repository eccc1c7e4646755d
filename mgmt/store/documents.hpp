#pragma once
// JSON documents by kind and Id, with their indices kept in the same transaction. This is the seam for a
// replicated ledger: all that the management plane means is said in documents, and what the dataplane reads
// is derived from them.
//
// insert(), update() and erase() append to the feed of changes (changes.hpp). They run inside an operation of
// the Writer; everything else on any View.

#include "mgmt/store/collections.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/id.hpp"
#include "mgmt/store/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::store {

// The text of a field of a document's; empty when it is missing or no text.
[[nodiscard]] std::string text_of_field(const nlohmann::json& fields, const char* name);

struct Document {
    Id id;
    std::uint64_t revision = 0;  // 1 when made, one more with every update
    nlohmann::json fields;       // with "id", "created_at" and "updated_at"

    [[nodiscard]] std::string text(const char* field) const { return text_of_field(fields, field); }
};

// 2026-11-20T12:34:56.789Z (RFC 3339), the form of every time in a document.
[[nodiscard]] std::string to_timestamp(std::uint64_t realtime_ns);
// Back: any RFC 3339 time; nothing for anything else, and before 1970.
[[nodiscard]] std::optional<std::uint64_t> from_timestamp(std::string_view text);

[[nodiscard]] Result<std::optional<Document>> find(const View& view, const Collection& collection, Id id);
// The first document with this value in the index.
[[nodiscard]] Result<std::optional<Document>> find_by(const View& view, const Collection& collection,
                                                      const Index& index, std::string_view value);
[[nodiscard]] Result<std::size_t> count(const View& view, const Collection& collection);

// Returns false to stop.
using Visit = std::function<bool(Document document)>;
using VisitId = std::function<bool(Id id)>;
// In order of creation, beginning after AFTER.
Result<void> for_each(const View& view, const Collection& collection, std::optional<Id> after,
                      const Visit& visit);
// The same without reading the documents.
Result<void> for_each_key(const View& view, const Collection& collection, const VisitId& visit);
// Those with VALUE in INDEX, in order of creation, beginning after AFTER. VISIT may not write to the store:
// collect first, then change.
Result<void> for_each_id(const View& view, const Index& index, std::string_view value, const VisitId& visit,
                         std::optional<Id> after = {});
[[nodiscard]] Result<std::vector<Id>> ids_by(const View& view, const Index& index, std::string_view value);

// Gives the document its id, revision and times. A value that a unique index has already is a conflict that
// names the field.
[[nodiscard]] Outcome<Document> insert(Batch& batch, const Collection& collection, nlohmann::json fields);
// Writes DOCUMENT over the stored one, with the next revision; not_found when it was deleted meanwhile.
[[nodiscard]] Outcome<Document> update(Batch& batch, const Collection& collection, Document document);
// Writes a document that was made elsewhere as it is: id, revision and times stay. For appliances that follow
// another; nothing may be in its way. One that is there already is no change.
[[nodiscard]] Outcome<void> adopt(Batch& batch, const Collection& collection, const Document& document);
// Other documents that have a value of DOCUMENT's which a unique index allows once.
[[nodiscard]] Result<std::vector<Id>> in_the_way(const View& view, const Collection& collection,
                                                 const Document& document);
// True if it was there.
[[nodiscard]] Outcome<bool> erase(Batch& batch, const Collection& collection, Id id);

}  // namespace rouse::store
