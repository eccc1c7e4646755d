#include "mgmt/http/token.hpp"

#include "mgmt/http/base64.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <jwt.h>
#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::http {
namespace {

using nlohmann::json;

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* pointer) const noexcept {
        Free(pointer);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Jwt = std::unique_ptr<jwt_t, Freed<jwt_free>>;
using CString = std::unique_ptr<char, Freed<std::free>>;

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string private_pem(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio.get());
}

std::string public_pem(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(bio.get(), key);
    return text_of(bio.get());
}

std::string key_id(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    i2d_PUBKEY_bio(bio.get(), key);
    const std::string der = text_of(bio.get());
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
    SHA256(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest.data());
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) {
        constexpr std::string_view kHex = "0123456789abcdef";
        out += kHex[digest[i] >> 4];
        out += kHex[digest[i] & 15];
    }
    return out;
}

// A coordinate of a public key as JWKs have it.
std::string coordinate(EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key, name, &number);
    std::array<unsigned char, 32> bytes{};
    if (number != nullptr) BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
    BN_free(number);
    return base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

json public_jwk(EVP_PKEY* key) {
    return {{"kty", "EC"},
            {"crv", "P-256"},
            {"use", "sig"},
            {"alg", "ES256"},
            {"kid", key_id(key)},
            {"x", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)},
            {"y", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)}};
}

// Complete and durable under its name, or not there at all.
Result<void> write_secret(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".new";
    ::unlink(temporary.c_str());
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return fail_errno("cannot create " + temporary);
    const bool written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
    const int error = errno;
    ::close(file);
    if (!written) return fail_errno("cannot write " + temporary, error);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("cannot name " + path);
    const int directory =
        ::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        ::fsync(directory);
        ::close(directory);
    }
    return {};
}

Result<Key> read_key(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fail_errno("cannot examine the token key " + path);
    if ((status.st_mode & 077) != 0)
        return fail("the token key " + path +
                    " can be read by others: chmod 600 it, or remove it for a new one");
    std::ifstream in(path);
    const std::string pem{std::istreambuf_iterator<char>(in), {}};
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    std::array<char, 32> group{};
    if (!key || EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1 ||
        std::string_view(group.data()) != "prime256v1")
        return fail("the token key " + path +
                    " is not a P-256 private key in PEM; remove it for a new one (everybody logs in again)");
    return key;
}

Result<Key> make_key(const std::string& path) {
    Key key(EVP_EC_gen("P-256"));
    if (!key) return fail("cannot make a token key: OpenSSL has no P-256");
    if (auto written = write_secret(path, private_pem(key.get())); !written)
        return tl::unexpected(written.error());
    return key;
}

std::string grant(jwt_t* jwt, const char* name) {
    const char* value = jwt_get_grant(jwt, name);
    return value == nullptr ? "" : value;
}

// Those that are not plain words, and those of some tokens only. RFC 9068 has the roles as a list; `role` is
// for who expects one.
std::string further_claims(const TokenClaims& token) {
    std::array<unsigned char, 16> unique;
    RAND_bytes(unique.data(), unique.size());
    json claims = {{"roles", token.roles.names()},
                   {"jti", base64url({reinterpret_cast<const char*>(unique.data()), unique.size()})}};
    if (const auto foremost = token.roles.foremost()) claims["role"] = to_string(*foremost);
    if (token.is_client) claims["client_id"] = token.user;
    if (!token.password_mark.empty()) claims["pwm"] = token.password_mark;
    if (!token.certificate.empty()) claims["cnf"] = {{"x5t#S256", token.certificate}};
    return claims.dump();
}

Roles roles_of(jwt_t* jwt) {
    Roles roles;
    if (const auto role = parse_role(grant(jwt, "role"))) roles.add(*role);
    const CString list(jwt_get_grants_json(jwt, "roles"));
    if (!list) return roles;
    const auto names = json::parse(list.get(), nullptr, false);
    for (const auto& name : names.is_array() ? names : json::array())
        if (const auto role = name.is_string() ? parse_role(name.get<std::string>()) : std::nullopt)
            roles.add(*role);
    return roles;
}

std::string certificate_of(jwt_t* jwt) {
    const CString bound(jwt_get_grants_json(jwt, "cnf"));
    if (!bound) return {};
    const auto cnf = json::parse(bound.get(), nullptr, false);
    return cnf.is_object() ? cnf.value("x5t#S256", std::string()) : std::string();
}

const char* to_text(TokenUse use) {
    return use == TokenUse::access ? "access" : "refresh";
}

const unsigned char* bytes(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

struct TokenKey::State {
    std::string private_pem;
    std::string public_pem;
    std::string id;
    json jwk;
};

TokenKey::TokenKey(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TokenKey::TokenKey(TokenKey&&) noexcept = default;
TokenKey& TokenKey::operator=(TokenKey&&) noexcept = default;
TokenKey::~TokenKey() = default;

Result<TokenKey> TokenKey::open(const std::string& path) {
    const auto key = std::filesystem::exists(path) ? read_key(path) : make_key(path);
    if (!key) return tl::unexpected(key.error());
    return TokenKey(std::make_unique<State>(
        State{private_pem(key->get()), public_pem(key->get()), key_id(key->get()), public_jwk(key->get())}));
}

const std::string& TokenKey::id() const noexcept {
    return state_->id;
}

json TokenKey::jwk() const {
    return state_->jwk;
}

Result<std::string> TokenKey::sign(const TokenClaims& claims) const {
    jwt_t* made = nullptr;
    jwt_new(&made);
    const Jwt jwt(made);
    const auto& pem = state_->private_pem;
    const bool good = jwt_set_alg(jwt.get(), JWT_ALG_ES256, bytes(pem), static_cast<int>(pem.size())) == 0 &&
                      jwt_add_header(jwt.get(), "kid", state_->id.c_str()) == 0 &&
                      jwt_add_grant(jwt.get(), "iss", "rouse") == 0 &&
                      jwt_add_grant(jwt.get(), "aud", "rouse") == 0 &&
                      jwt_add_grant(jwt.get(), "sub", claims.user.c_str()) == 0 &&
                      jwt_add_grant(jwt.get(), "preferred_username", claims.user.c_str()) == 0 &&
                      jwt_add_grants_json(jwt.get(), further_claims(claims).c_str()) == 0 &&
                      jwt_add_grant(jwt.get(), "use", to_text(claims.use)) == 0 &&
                      jwt_add_grant_int(jwt.get(), "iat", std::time(nullptr)) == 0 &&
                      jwt_add_grant_int(jwt.get(), "exp", claims.expires) == 0;
    const CString encoded(good ? jwt_encode_str(jwt.get()) : nullptr);
    if (!encoded) return fail_errno("cannot sign a token");
    return std::string(encoded.get());
}

Result<TokenClaims> TokenKey::verify(std::string_view token, TokenUse use, std::int64_t now) const {
    const std::string text(token);
    const auto& pem = state_->public_pem;
    jwt_t* decoded = nullptr;
    const int error = jwt_decode(&decoded, text.c_str(), bytes(pem), static_cast<int>(pem.size()));
    const Jwt jwt(decoded);
    // The algorithm is the server's choice and never the token's: "none", or HS256 keyed with the public key,
    // would otherwise be anybody's signature (RFC 8725 3.1).
    if (error != 0 || jwt_get_alg(jwt.get()) != JWT_ALG_ES256)
        return fail("the token is not one that this server signed");
    if (grant(jwt.get(), "use") != to_text(use))
        return fail(std::string("this takes a token for ") + to_text(use) + ", not for another use");
    TokenClaims claims;
    claims.user = grant(jwt.get(), "sub");
    claims.use = use;
    claims.password_mark = grant(jwt.get(), "pwm");
    claims.expires = jwt_get_grant_int(jwt.get(), "exp");
    claims.is_client = !grant(jwt.get(), "client_id").empty();
    claims.certificate = certificate_of(jwt.get());
    claims.roles = roles_of(jwt.get());
    if (claims.user.empty() || claims.roles.empty())
        return fail("the token lacks its user or a role that is known here");
    if (claims.expires <= now) return fail("the token has expired");
    return claims;
}

}  // namespace rouse::http
