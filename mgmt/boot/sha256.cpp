#include "mgmt/boot/sha256.hpp"

#include <stdexcept>

namespace rouse::boot {

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256");
}

void Sha256Stream::update(store::Bytes bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

store::Sha256 Sha256Stream::finish() {
    store::Sha256 digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
}

store::Sha256 sha256(store::Bytes bytes) {
    Sha256Stream stream;
    stream.update(bytes);
    return stream.finish();
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0xf];
    }
    return text;
}

std::optional<store::Sha256> sha256_from_hex(std::string_view text) {
    store::Sha256 hash{};
    if (text.size() != 2 * hash.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        int digit = 0;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else
            return std::nullopt;
        hash[i / 2] = static_cast<std::uint8_t>(hash[i / 2] << 4 | digit);
    }
    return hash;
}

}  // namespace rouse::boot
