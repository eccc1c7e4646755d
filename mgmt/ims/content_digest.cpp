#include "mgmt/ims/content_digest.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

namespace rouse::ims {
namespace {

constexpr std::string_view kAlgorithm = "sha-256=";
constexpr std::size_t kBase64Bytes = 44;  // of 32 bytes, with one "=" at the end

// The value of sha-256 in a dictionary of byte sequences (RFC 8941 3.2, 3.3.5).
std::optional<std::string_view> find_sha256(std::string_view field) {
    while (!field.empty()) {
        const auto comma = field.find(',');
        auto member = field.substr(0, comma);
        while (member.starts_with(' ') || member.starts_with('\t')) member.remove_prefix(1);
        if (member.starts_with(kAlgorithm)) return member.substr(kAlgorithm.size());
        field.remove_prefix(comma == std::string_view::npos ? field.size() : comma + 1);
    }
    return std::nullopt;
}

std::optional<store::Sha256> decode(std::string_view value) {
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    if (value.size() != kBase64Bytes + 2 || value.front() != ':' || value.back() != ':') return std::nullopt;
    std::array<std::uint8_t, 33> bytes{};  // the padding counts as a byte
    const auto* text = reinterpret_cast<const unsigned char*>(value.data() + 1);
    if (EVP_DecodeBlock(bytes.data(), text, kBase64Bytes) != static_cast<int>(bytes.size()))
        return std::nullopt;
    store::Sha256 hash;
    std::copy_n(bytes.begin(), hash.size(), hash.begin());
    return hash;
}

}  // namespace

std::string digest_field(const store::Sha256& hash) {
    std::array<unsigned char, kBase64Bytes + 1> text{};
    EVP_EncodeBlock(text.data(), hash.data(), static_cast<int>(hash.size()));
    return std::string(kAlgorithm) + ":" + reinterpret_cast<const char*>(text.data()) + ":";
}

http::OrProblem<std::optional<store::Sha256>> digest_of(const http::Headers& headers) {
    // Of a body that is the whole file they mean the same.
    for (const char* name : {"Content-Digest", "Repr-Digest"}) {
        const auto value = find_sha256(headers.get(name));
        if (!value) continue;
        const auto hash = decode(*value);
        if (!hash)
            return http::problem(
                http::Status::bad_request,
                std::string(name) + ": sha-256 must be 32 bytes in Base64 between colons (RFC 9530 2)");
        return hash;
    }
    return std::optional<store::Sha256>{};
}

}  // namespace rouse::ims
