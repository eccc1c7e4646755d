#include "mgmt/http/token_expiry.hpp"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

namespace rouse::http {
namespace {

std::string from_base64url(std::string_view text) {
    std::string padded(text);
    std::replace(padded.begin(), padded.end(), '-', '+');
    std::replace(padded.begin(), padded.end(), '_', '/');
    padded.append((4 - padded.size() % 4) % 4, '=');
    std::string out(padded.size() / 4 * 3, '\0');
    const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                  reinterpret_cast<const unsigned char*>(padded.data()),
                                  static_cast<int>(padded.size()));
    const auto padding = static_cast<std::size_t>(
        std::count(padded.end() - std::min<std::ptrdiff_t>(2, std::ssize(padded)), padded.end(), '='));
    // EVP counts the padding as zero bytes.
    out.resize(n < 0 ? 0 : static_cast<std::size_t>(n) - std::min(static_cast<std::size_t>(n), padding));
    return out;
}

}  // namespace

std::optional<std::int64_t> token_expiry(std::string_view token) {
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto payload = token.substr(first + 1, token.find('.', first + 1) - first - 1);
    const auto claims = nlohmann::json::parse(from_base64url(payload), nullptr, false);
    if (!claims.is_object() || !claims.contains("exp") || !claims["exp"].is_number_integer())
        return std::nullopt;
    return claims["exp"].get<std::int64_t>();
}

}  // namespace rouse::http
