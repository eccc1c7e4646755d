#pragma once
// Tokens that were verified already: a signature costs more to verify than most requests cost to answer.

#include "mgmt/http/role.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace rouse::http {

// Thread safe; bounded memory. Moments are seconds since 1970.
class KnownTokens {
  public:
    static constexpr std::size_t kMost = 16'384;

    struct Known {
        Principal principal;
        std::string certificate;  // that it is bound to; see TokenClaims
        std::int64_t expires = 0;
    };

    // By the token's SHA-256.
    [[nodiscard]] std::optional<Known> find(const std::string& digest, std::int64_t now) const {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(digest);
        if (found == known_.end() || found->second.expires <= now) return std::nullopt;
        return found->second;
    }
    // Changes with forget(). To be read before the store is, and given to add(): what was read before
    // somebody was deleted is not remembered after that.
    [[nodiscard]] std::uint64_t epoch() const {
        const std::lock_guard lock(mutex_);
        return epoch_;
    }
    void add(const std::string& digest, Known known, std::uint64_t epoch) {
        const std::lock_guard lock(mutex_);
        if (epoch != epoch_) return;
        if (known_.size() >= kMost) known_.clear();
        known_.insert_or_assign(digest, std::move(known));
    }
    void forget() {
        const std::lock_guard lock(mutex_);
        known_.clear();
        ++epoch_;
    }

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Known> known_;
    std::uint64_t epoch_ = 0;
};

}  // namespace rouse::http
