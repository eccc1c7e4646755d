#pragma once
// The audit log: what was changed over REST, by whom, and what it was before. Entries are documents of their
// own kind that are added and, when they are old or many, removed oldest first; nothing changes one.

#include "mgmt/store/author.hpp"
#include "mgmt/store/documents.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::store {

inline constexpr auto kAuditEvents =
    std::to_array<std::string_view>({"created", "changed", "deleted", "request", "refused", "login-failed"});

struct AuditEntry {
    std::string event;           // one of kAuditEvents
    std::string kind;            // of the object: "machine"
    std::string object;          // its id
    nlohmann::json before = {};  // an object's fields; null: there was none
    nlohmann::json after = {};
    unsigned status = 0;  // of the answer, for events that changed nothing; 0: not known yet
};

// Within the transaction of what it tells of.
[[nodiscard]] Outcome<void> audit(Batch& batch, const Author& author, AuditEntry entry);

// The same for a document that was inserted (WAS is null), updated, or erased (IS is null). Fields of the
// appliance's own are left out, and when they changed that is all that is said of them. Of an update only
// the fields that changed are kept.
[[nodiscard]] Outcome<void> audit_document(Batch& batch, const Author& author, const Collection& collection,
                                           const Id& id, const nlohmann::json* was, const nlohmann::json* is);

struct AuditLimits {
    std::chrono::seconds age{0};  // of the oldest entry; 0: any
    std::uint64_t bytes = 0;      // that the entries take in the store
};

// Removes what is beyond LIMITS, some of it at a time; how many entries. More may be left when it removed
// any.
[[nodiscard]] Outcome<std::size_t> prune_audit(Batch& batch, const AuditLimits& limits);

}  // namespace rouse::store
