#pragma once
// The keys that tokens are signed with: the newest one signs, older ones verify until the last token that
// they signed has expired, and are then removed.
//
// Each key is a file of a directory, named after the moment it was made (milliseconds since 1970), complete
// and durable under that name or not there. What a key is for follows from the names alone, so a crash at any
// instant leaves a ring that is whole.

#include "mgmt/http/token.hpp"
#include "shared/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

struct KeyRingOptions {
    std::string directory;                     // made when it is missing (0700)
    std::string former_key = {};               // a key outside the ring, which becomes its first
    std::chrono::seconds token_life{86400};    // of the tokens that live longest
    std::chrono::seconds max_age{30 * 86400};  // of the key that signs; 0: it stays until rotate()
};

// Thread safe. Moments are seconds since 1970.
class KeyRing {
  public:
    static constexpr std::size_t kMost = 32;  // that are asked for; those that come with age are few

    struct Key {
        std::string id;
        std::int64_t made = 0;
        std::int64_t verifies_until = 0;  // 0: it signs, and the end is not known yet
    };

    [[nodiscard]] static Result<KeyRing> open(KeyRingOptions options, std::int64_t now);
    KeyRing(KeyRing&&) noexcept;
    KeyRing& operator=(KeyRing&&) noexcept;
    ~KeyRing();

    [[nodiscard]] Result<std::string> sign(const TokenClaims& claims) const;
    // As TokenKey::verify(), by the key that the token names.
    [[nodiscard]] Result<TokenClaims> verify(std::string_view token, TokenUse use, std::int64_t now) const;

    // A new key signs from now on; it is durable before. Blocking.
    Result<void> rotate(std::int64_t now);
    // Rotates when the signing key is older than it may be, and removes keys that verify nothing any more.
    // Whether anything changed. Blocking.
    Result<bool> tend(std::int64_t now);

    // Newest first.
    [[nodiscard]] std::vector<Key> keys() const;
    // The public halves as a JWK set (RFC 7517).
    [[nodiscard]] nlohmann::json jwks() const;

  private:
    class State;
    explicit KeyRing(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace rouse::http
