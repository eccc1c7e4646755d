#include "mgmt/http/password.hpp"

#include "mgmt/http/base64.hpp"
#include "mgmt/http/digest.hpp"

#include <array>
#include <stdexcept>

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/random.h>

namespace rouse::http {

Result<std::string> hash_password(std::string_view password) {
    if (password.size() > kMaxPasswordBytes)
        return fail("a password has at most " + std::to_string(kMaxPasswordBytes) + " bytes");
    constexpr std::uint32_t kSaltBytes = 16;
    constexpr std::uint32_t kHashBytes = 32;
    std::array<unsigned char, kSaltBytes> salt;
    if (getrandom(salt.data(), salt.size(), 0) != static_cast<ssize_t>(salt.size()))
        return fail_errno("cannot get random numbers for a password's salt");
    std::string encoded(
        argon2_encodedlen(kArgonPasses, kArgonMemoryKib, kArgonLanes, kSaltBytes, kHashBytes, Argon2_id),
        '\0');
    const int result =
        argon2id_hash_encoded(kArgonPasses, kArgonMemoryKib, kArgonLanes, password.data(), password.size(),
                              salt.data(), salt.size(), kHashBytes, encoded.data(), encoded.size());
    if (result != ARGON2_OK)
        return fail(std::string("cannot hash a password: ") + argon2_error_message(result));
    encoded.resize(encoded.find('\0'));
    return encoded;
}

bool verify_password(std::string_view password, const std::string& hash) {
    return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

std::string make_secret() {
    std::array<char, 32> bytes;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()) != 1)
        throw std::runtime_error("there are no random numbers for a secret");
    return base64url({bytes.data(), bytes.size()});
}

std::string hash_secret(std::string_view secret) {
    return base64url(sha256(secret));
}

bool verify_secret(std::string_view secret, std::string_view hash) {
    const std::string mine = hash_secret(secret);
    return mine.size() == hash.size() && CRYPTO_memcmp(mine.data(), hash.data(), hash.size()) == 0;
}

}  // namespace rouse::http
