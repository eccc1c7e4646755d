#pragma once
// SHA-256 (FIPS 180-4) by OpenSSL, whole or in pieces, and its hex form.

#include "shared/store/records.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace rouse::boot {

class Sha256Stream {
  public:
    Sha256Stream();
    void update(store::Bytes bytes);
    // Ends the stream.
    [[nodiscard]] store::Sha256 finish();

  private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

[[nodiscard]] store::Sha256 sha256(store::Bytes bytes);

// Lower case, two digits a byte.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
// Nothing unless it is 64 lower-case hex digits.
[[nodiscard]] std::optional<store::Sha256> sha256_from_hex(std::string_view text);

}  // namespace rouse::boot
