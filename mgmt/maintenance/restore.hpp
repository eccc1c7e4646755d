#pragma once
// rouse-mgmt --restore: an appliance that is stopped becomes what a backup says.

#include "shared/config.hpp"
#include "shared/result.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace rouse::maintenance {

struct Restored {
    std::string made_at;                // when the backup was made
    std::size_t documents = 0;          // that it holds
    std::size_t images = 0;             // contents that came with it
    std::vector<std::string> faults{};  // contradictions in it that do not make it unreadable
    std::string former{};               // the store that was there before; empty: none was
};

// Blocking. FILE: what GET /api/backup/ answered. Refuses while any process has the store open, and whatever
// is not whole (every file's SHA-256, every document, every index), before anything of the appliance changes.
// Then one rename replaces the store: whatever ends this process and whenever, the store is the former one
// or the backup's. An error means that it is the former one.
[[nodiscard]] Result<Restored> restore(const Config& config, const std::string& file);

}  // namespace rouse::maintenance
