#pragma once
// Passwords as argon2id hashes (RFC 9106) in the PHC string format, which carries its own parameters.

#include "shared/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::http {

// OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane; some 40 ms of one core.
inline constexpr std::uint32_t kArgonMemoryKib = 19 * 1024;
inline constexpr std::uint32_t kArgonPasses = 2;
inline constexpr std::uint32_t kArgonLanes = 1;
inline constexpr std::size_t kMaxPasswordBytes = 1024;

// Slow and memory-hungry on purpose: never on an io thread.
[[nodiscard]] Result<std::string> hash_password(std::string_view password);
// False as well for a hash that is not one.
[[nodiscard]] bool verify_password(std::string_view password, const std::string& hash);

// Of 256 random bits, which nobody guesses: a plain SHA-256 is enough to keep it by, and quick.
[[nodiscard]] std::string make_secret();
[[nodiscard]] std::string hash_secret(std::string_view secret);
[[nodiscard]] bool verify_secret(std::string_view secret, std::string_view hash);

}  // namespace rouse::http
