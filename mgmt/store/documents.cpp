#include "mgmt/store/documents.hpp"

#include "mgmt/store/audit.hpp"
#include "mgmt/store/changes.hpp"
#include "mgmt/store/index_key.hpp"
#include "mgmt/store/stored_document.hpp"
#include "shared/clock.hpp"
#include "shared/endian.hpp"

#include <ctime>

namespace rouse::store {
namespace {

using nlohmann::json;

Result<Document> to_document(const Collection& collection, const Id& id, Bytes value) {
    Document document{id, 0, {}};
    if (const auto stored = split_stored(value)) {
        document.revision = stored->revision;
        document.fields = json::parse(stored->json, nullptr, false);
    }
    if (!document.fields.is_object())
        return fail("the stored " + std::string(collection.noun) + " " + id.to_string() +
                    " is damaged; restore a backup");
    return document;
}

Result<void> write(Batch& batch, const Collection& collection, const Document& document) {
    const be64 revision(document.revision);
    std::string value(text_of(bytes_of(revision)));
    value += document.fields.dump();
    return batch.put(collection.table(batch), bytes_of(document.id), bytes_of(value));
}

std::optional<std::string> indexed(const Index& index, const json* fields) {
    return fields == nullptr ? std::nullopt : index.value(*fields);
}

// Notes in the feed of changes what becomes of a document, which has REVISION then (0: it is gone); WAS as
// for move_indices().
Result<void> note(Batch& batch, const Collection& collection, const Id& id, Change::What what,
                  std::uint64_t revision, const json* was) {
    if (!is_in_feed(collection.kind)) return {};
    Change change;
    change.kind = collection.kind;
    change.what = what;
    change.id = id;
    change.revision = revision;
    if (const auto cluster =
            collection.kind == Kind::machine ? indexed(kMachineByCluster, was) : std::nullopt)
        change.former_cluster = Id::parse(*cluster).value_or(Id{});
    return append_change(batch, change);
}

// Refuses values that a unique index has for another document. Before any write, so that a refusal leaves
// the batch untouched.
Outcome<void> check_indices(const View& view, const Collection& collection, const Id& id,
                            const json& fields) {
    for (const Index* index : collection.indices) {
        const auto value = index->value(fields);
        if (!value) continue;
        const std::string pointer = "/" + std::string(index->field);
        if (value->size() > kMaxIndexedBytes || value->find('\0') != std::string::npos)
            return refuse(Failure::Kind::invalid,
                          std::string(index->field) + " is too long or holds a NUL character", pointer);
        if (!index->unique) continue;
        const auto owner = view.txn().get(view.own().indices, bytes_of(index_key(*index, *value, id)));
        if (!owner) return pass_on(owner.error());
        if (*owner && to_id(**owner) != id)
            return refuse(
                Failure::Kind::conflict,
                "another " + std::string(collection.noun) + " has this " + std::string(index->field),
                pointer);
    }
    return {};
}

// Moves the index entries of a document from what it was (null: new) to what it is (null: deleted).
Result<void> move_indices(Batch& batch, const Collection& collection, const Id& id, const json* was,
                          const json* is) {
    const Table indices = batch.own().indices;
    for (const Index* index : collection.indices) {
        const auto before = indexed(*index, was);
        const auto after = indexed(*index, is);
        if (before == after) continue;
        if (before) {
            const auto removed = batch.remove(indices, bytes_of(index_key(*index, *before, id)));
            if (!removed) return tl::unexpected(removed.error());
        }
        if (after) {
            const auto put = batch.put(indices, bytes_of(index_key(*index, *after, id)), bytes_of(id));
            if (!put) return put;
        }
    }
    return {};
}

// Who has an author is on the log. A boot token belongs to its machine, which is there.
Outcome<void> log_change(Batch& batch, const Collection& collection, const Id& id, const json* was,
                         const json* is) {
    if (batch.author() == nullptr || collection.kind == Kind::audit || collection.kind == Kind::boot_token)
        return {};
    return audit_document(batch, *batch.author(), collection, id, was, is);
}

}  // namespace

std::string text_of_field(const json& fields, const char* name) {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string to_timestamp(std::uint64_t realtime_ns) {
    const auto seconds = static_cast<std::time_t>(realtime_ns / kNanosPerSecond);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char date[32];
    char text[48];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(text, sizeof text, "%s.%03uZ", date,
                  static_cast<unsigned>(realtime_ns % kNanosPerSecond / kNanosPerMilli));
    return text;
}

std::optional<std::uint64_t> from_timestamp(std::string_view text) {
    const std::string all(text);
    std::tm utc{};
    const char* rest = ::strptime(all.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
    if (rest == nullptr) return std::nullopt;
    std::uint64_t nanos = 0;
    if (*rest == '.') {
        const char* digits = ++rest;
        std::uint64_t unit = kNanosPerSecond;
        for (; *rest >= '0' && *rest <= '9'; ++rest)
            if (unit >= 10) nanos += static_cast<std::uint64_t>(*rest - '0') * (unit /= 10);
        if (rest == digits) return std::nullopt;
    }
    std::int64_t offset = 0;
    const std::string_view zone(rest);
    if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
        std::tm ahead{};
        const char* end = ::strptime(zone.data() + 1, "%H:%M", &ahead);
        if (end == nullptr || *end != '\0') return std::nullopt;
        offset = (ahead.tm_hour * 3600 + ahead.tm_min * 60) * (zone[0] == '+' ? 1 : -1);
    } else if (zone != "Z" && zone != "z") {
        return std::nullopt;
    }
    const std::int64_t seconds = static_cast<std::int64_t>(::timegm(&utc)) - offset;
    if (seconds < 0) return std::nullopt;
    return static_cast<std::uint64_t>(seconds) * kNanosPerSecond + nanos;
}

Result<std::optional<Document>> find(const View& view, const Collection& collection, Id id) {
    const auto value = view.txn().get(collection.table(view), bytes_of(id));
    if (!value) return tl::unexpected(value.error());
    if (!*value) return std::optional<Document>{};
    auto document = to_document(collection, id, **value);
    if (!document) return tl::unexpected(document.error());
    return std::optional<Document>(std::move(*document));
}

Result<std::optional<Document>> find_by(const View& view, const Collection& collection, const Index& index,
                                        std::string_view value) {
    std::optional<Id> found;
    const auto scanned = for_each_id(view, index, value, [&found](Id id) {
        found = id;
        return false;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    if (!found) return std::optional<Document>{};
    return find(view, collection, *found);
}

Result<std::size_t> count(const View& view, const Collection& collection) {
    return view.txn().count(collection.table(view));
}

Result<void> for_each(const View& view, const Collection& collection, std::optional<Id> after,
                      const Visit& visit) {
    Result<void> result;
    const auto scanned = scan(view.txn(), collection.table(view), after ? bytes_of(*after) : Bytes{},
                              [&](Bytes key, Bytes value) {
                                  const auto id = to_id(key);
                                  if (!id || id == after) return true;
                                  auto document = to_document(collection, *id, value);
                                  if (!document) {
                                      result = tl::unexpected(document.error());
                                      return false;
                                  }
                                  return visit(std::move(*document));
                              });
    return scanned ? result : scanned;
}

Result<void> for_each_key(const View& view, const Collection& collection, const VisitId& visit) {
    return scan(view.txn(), collection.table(view), {}, [&visit](Bytes key, Bytes) {
        const auto id = to_id(key);
        return !id || visit(*id);
    });
}

Result<void> for_each_id(const View& view, const Index& index, std::string_view value, const VisitId& visit,
                         std::optional<Id> after) {
    if (value.size() > kMaxIndexedBytes || value.find('\0') != std::string_view::npos) return {};
    const std::string prefix = index_prefix(index, value);
    const std::string from = after ? index_key(index, value, *after) : prefix;
    return scan(view.txn(), view.own().indices, bytes_of(from), [&](Bytes key, Bytes stored) {
        if (!text_of(key).starts_with(prefix)) return false;
        const auto id = to_id(stored);
        return !id || (after && *id <= *after) || visit(*id);
    });
}

Result<std::vector<Id>> ids_by(const View& view, const Index& index, std::string_view value) {
    std::vector<Id> ids;
    const auto scanned = for_each_id(view, index, value, [&ids](Id id) {
        ids.push_back(id);
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return ids;
}

Outcome<Document> insert(Batch& batch, const Collection& collection, json fields) {
    Document document{Id::make(), 1, std::move(fields)};
    document.fields["id"] = document.id.to_string();
    document.fields["created_at"] = to_timestamp(batch.now_ns());
    if (collection.kind != Kind::audit) document.fields["updated_at"] = document.fields["created_at"];
    if (const auto free = check_indices(batch, collection, document.id, document.fields); !free)
        return pass_on(free.error());
    if (const auto written = write(batch, collection, document); !written) return pass_on(written.error());
    const auto moved = move_indices(batch, collection, document.id, nullptr, &document.fields);
    if (!moved) return pass_on(moved.error());
    const auto noted =
        note(batch, collection, document.id, Change::What::created, document.revision, nullptr);
    if (!noted) return pass_on(noted.error());
    const auto logged = log_change(batch, collection, document.id, nullptr, &document.fields);
    if (!logged) return pass_on(logged.error());
    return document;
}

Outcome<Document> update(Batch& batch, const Collection& collection, Document document) {
    const auto stored = find(batch, collection, document.id);
    if (!stored) return pass_on(stored.error());
    if (!*stored)
        return refuse(Failure::Kind::not_found,
                      "this " + std::string(collection.noun) + " does not exist any more");
    document.revision = (*stored)->revision + 1;
    document.fields["id"] = document.id.to_string();
    document.fields["created_at"] = (*stored)->fields["created_at"];
    document.fields["updated_at"] = to_timestamp(batch.now_ns());
    if (const auto free = check_indices(batch, collection, document.id, document.fields); !free)
        return pass_on(free.error());
    if (const auto written = write(batch, collection, document); !written) return pass_on(written.error());
    const auto moved = move_indices(batch, collection, document.id, &(*stored)->fields, &document.fields);
    if (!moved) return pass_on(moved.error());
    const auto noted =
        note(batch, collection, document.id, Change::What::updated, document.revision, &(*stored)->fields);
    if (!noted) return pass_on(noted.error());
    const auto logged = log_change(batch, collection, document.id, &(*stored)->fields, &document.fields);
    if (!logged) return pass_on(logged.error());
    return document;
}

Outcome<void> adopt(Batch& batch, const Collection& collection, const Document& document) {
    const auto stored = find(batch, collection, document.id);
    if (!stored) return pass_on(stored.error());
    // Who follows anew is told again of much that it has.
    if (*stored && (*stored)->revision == document.revision && (*stored)->fields == document.fields)
        return {};
    if (const auto free = check_indices(batch, collection, document.id, document.fields); !free) return free;
    if (const auto written = write(batch, collection, document); !written) return pass_on(written.error());
    const auto moved = move_indices(batch, collection, document.id, *stored ? &(*stored)->fields : nullptr,
                                    &document.fields);
    if (!moved) return pass_on(moved.error());
    const auto noted =
        note(batch, collection, document.id, *stored ? Change::What::updated : Change::What::created,
             document.revision, *stored ? &(*stored)->fields : nullptr);
    if (!noted) return pass_on(noted.error());
    return {};
}

Result<std::vector<Id>> in_the_way(const View& view, const Collection& collection, const Document& document) {
    std::vector<Id> others;
    for (const Index* index : collection.indices) {
        const auto value = index->unique ? index->value(document.fields) : std::nullopt;
        if (!value) continue;
        const auto owners = ids_by(view, *index, *value);
        if (!owners) return tl::unexpected(owners.error());
        for (const Id& id : *owners)
            if (id != document.id) others.push_back(id);
    }
    return others;
}

Outcome<bool> erase(Batch& batch, const Collection& collection, Id id) {
    const auto stored = find(batch, collection, id);
    if (!stored) return pass_on(stored.error());
    if (!*stored) return false;
    const auto removed = batch.remove(collection.table(batch), bytes_of(id));
    if (!removed) return pass_on(removed.error());
    const auto moved = move_indices(batch, collection, id, &(*stored)->fields, nullptr);
    if (!moved) return pass_on(moved.error());
    const auto noted = note(batch, collection, id, Change::What::deleted, 0, &(*stored)->fields);
    if (!noted) return pass_on(noted.error());
    const auto logged = log_change(batch, collection, id, &(*stored)->fields, nullptr);
    if (!logged) return pass_on(logged.error());
    return true;
}

}  // namespace rouse::store
