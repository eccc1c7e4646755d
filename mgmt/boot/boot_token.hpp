#pragma once
// One-time tokens: what a ramdisk shows when it reports home. Each machine has one that is still good, in its
// boot script; it is stored as a hash only. After it is spent, and when the machine begins another boot, the
// next script carries a new one; a day old, it is good no more.

#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::boot {

// 32 random bytes as 64 hex digits.
[[nodiscard]] std::string make_token();
// SHA-256 in hex: what is stored and looked up instead of a token. The token has 256 random bits, so a plain
// hash is as good as a slow one.
[[nodiscard]] std::string hash_token(std::string_view token);

inline constexpr std::uint64_t kTokenSeconds = 24 * 3600;

// The machine whose token this is: not_found when it is nobody's, gone when it is too old or was the
// machine's last one spent.
[[nodiscard]] Outcome<store::Document> machine_of_token(const store::View& view, std::string_view token,
                                                        std::uint64_t now_unix);

}  // namespace rouse::boot
