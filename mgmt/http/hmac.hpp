#pragma once
// HMAC-SHA256 (RFC 2104) of what is at hand, in lower-case hex.

#include <array>
#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace rouse::http {

[[nodiscard]] inline std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
    std::array<unsigned char, 32> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
    std::string out;
    for (const unsigned char octet : digest)
        for (const unsigned nibble : {octet / 16U, octet % 16U}) out.push_back("0123456789abcdef"[nibble]);
    return out;
}

}  // namespace rouse::http
