#pragma once
// SHA-256 of what is at hand.

#include <string>
#include <string_view>

#include <openssl/sha.h>

namespace rouse::http {

// 32 bytes.
[[nodiscard]] inline std::string sha256(std::string_view text) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

}  // namespace rouse::http
