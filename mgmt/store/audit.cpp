#include "mgmt/store/audit.hpp"

#include <algorithm>
#include <vector>

namespace rouse::store {
namespace {

using nlohmann::json;

// In one operation: the writer has others that wait.
constexpr std::size_t kMostAtOnce = 500;

bool is_own(const std::string& field) {
    return field.starts_with('_');
}

// FIELDS as the log has them: nothing of the appliance's own, which is where secrets are.
json shown(const json& fields) {
    json out = json::object();
    for (const auto& [name, value] : fields.items())
        if (!is_own(name)) out[name] = value;
    return out;
}

json member(const json& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? json() : *found;
}

// What differs between the two, each side's in BEFORE and AFTER.
void compare(const json& was, const json& is, json& before, json& after) {
    before = after = json::object();
    const auto note = [&](const std::string& name) {
        if (name == "updated_at" || member(was, name) == member(is, name)) return;
        if (is_own(name)) {
            after[name] = "(changed)";
            return;
        }
        before[name] = member(was, name);
        after[name] = member(is, name);
    };
    for (const auto& field : was.items()) note(field.key());
    for (const auto& field : is.items())
        if (!was.contains(field.key())) note(field.key());
}

}  // namespace

Outcome<void> audit(Batch& batch, const Author& author, AuditEntry entry) {
    json fields = {{"event", entry.event},
                   {"user", author.user},
                   {"is_client", author.is_client},
                   {"roles", author.roles},
                   {"address", author.address},
                   {"request_id", author.request_id},
                   {"method", author.method},
                   {"path", author.path},
                   {"kind", entry.kind},
                   {"object", entry.object},
                   {"before", std::move(entry.before)},
                   {"after", std::move(entry.after)}};
    if (entry.status != 0) fields["status"] = entry.status;
    if (auto added = insert(batch, kAudit, std::move(fields)); !added) return pass_on(added.error());
    return {};
}

Outcome<void> audit_document(Batch& batch, const Author& author, const Collection& collection, const Id& id,
                             const json* was, const json* is) {
    AuditEntry entry{.event = was == nullptr  ? "created"
                              : is == nullptr ? "deleted"
                                              : "changed",
                     .kind = std::string(collection.noun),
                     .object = id.to_string()};
    if (was != nullptr && is != nullptr)
        compare(*was, *is, entry.before, entry.after);
    else if (was != nullptr)
        entry.before = shown(*was);
    else
        entry.after = shown(*is);
    return audit(batch, author, std::move(entry));
}

Outcome<std::size_t> prune_audit(Batch& batch, const AuditLimits& limits) {
    const Table table = batch.own().documents[static_cast<std::size_t>(Kind::audit)];
    const auto count = batch.txn().count(table);
    if (!count) return pass_on(count.error());
    const auto bytes = batch.txn().bytes(table);
    if (!bytes) return pass_on(bytes.error());
    // As many as make up the part that is too much, if all are of one size.
    std::size_t too_many = 0;
    if (limits.bytes > 0 && *bytes > limits.bytes)
        too_many = 1 + static_cast<std::size_t>(static_cast<double>(*count) *
                                                static_cast<double>(*bytes - limits.bytes) /
                                                static_cast<double>(*bytes));
    const std::uint64_t age_ns = static_cast<std::uint64_t>(limits.age.count()) * kNanosPerSecond;
    const std::string oldest =
        age_ns == 0 || age_ns > batch.now_ns() ? "" : to_timestamp(batch.now_ns() - age_ns);
    std::vector<Id> gone;
    const auto scanned = for_each(batch, kAudit, std::nullopt, [&](const Document& entry) {
        if (gone.size() >= too_many && entry.text("created_at") >= oldest) return false;
        gone.push_back(entry.id);
        return gone.size() < kMostAtOnce;
    });
    if (!scanned) return pass_on(scanned.error());
    for (const Id& id : gone)
        if (auto erased = erase(batch, kAudit, id); !erased) return pass_on(erased.error());
    return gone.size();
}

}  // namespace rouse::store
