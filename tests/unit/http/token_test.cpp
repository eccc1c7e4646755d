#include "mgmt/http/token.hpp"

#include "tests/unit/http/temporary_directory.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

namespace rouse::http {
namespace {

using testing::HasSubstr;
constexpr std::int64_t kNow = 2'000'000'000;

const TokenClaims kClaims{"admin", Role::administrator, TokenUse::access, "", kNow + 60};

std::string base64url(const std::string& text) {
    std::string out(4 * ((text.size() + 2) / 3), '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    while (out.ends_with('=')) out.pop_back();
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return out;
}

// The key's public half in PEM, which is no secret.
std::string public_pem(const std::string& key_file) {
    FILE* file = fopen(key_file.c_str(), "r");
    EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
    fclose(file);
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    char* data = nullptr;
    std::string out;
    if (const long size = BIO_get_mem_data(bio, &data); size > 0)
        out.assign(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    EVP_PKEY_free(key);
    return out;
}

class TokenTest : public testing::Test {
  protected:
    TemporaryDirectory directory_;
    std::string path_ = directory_ / "token.pem";
    TokenKey key_ = TokenKey::open(path_).value();

    [[nodiscard]] std::string why_not(const std::string& token, TokenUse use = TokenUse::access) const {
        const auto claims = key_.verify(token, use, kNow);
        return claims ? "accepted" : claims.error().message;
    }
};

TEST_F(TokenTest, RoundTrips) {
    const auto claims = key_.verify(key_.sign(kClaims).value(), TokenUse::access, kNow);
    ASSERT_TRUE(claims) << claims.error().message;
    EXPECT_EQ(claims->user, "admin");
    EXPECT_EQ(claims->roles, Roles(Role::administrator));
    EXPECT_EQ(claims->expires, kNow + 60);

    TokenClaims several = kClaims;
    several.roles = {Role::viewer, Role::worker, Role::o2ims_subscriber};
    EXPECT_EQ(key_.verify(key_.sign(several).value(), TokenUse::access, kNow)->roles, several.roles);

    TokenClaims refresh = kClaims;
    refresh.use = TokenUse::refresh;
    refresh.password_mark = "mark";
    EXPECT_EQ(key_.verify(key_.sign(refresh).value(), TokenUse::refresh, kNow)->password_mark, "mark");
}

TEST_F(TokenTest, TheKeyIsKeptPrivatelyAndFoundAgain) {
    struct stat status {};
    ASSERT_EQ(stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    const auto again = TokenKey::open(path_).value();
    EXPECT_EQ(again.id(), key_.id());
    EXPECT_TRUE(again.verify(key_.sign(kClaims).value(), TokenUse::access, kNow));
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(TokenTest, RefusesAKeyFileThatIsNoSecretOrNoKey) {
    chmod(path_.c_str(), 0640);
    EXPECT_THAT(TokenKey::open(path_).error().message, HasSubstr("chmod 600"));
    const std::string other = directory_ / "other.pem";
    std::ofstream(other) << "not a key";
    chmod(other.c_str(), 0600);
    EXPECT_THAT(TokenKey::open(other).error().message, HasSubstr("not a P-256 private key"));
    EXPECT_THAT(TokenKey::open("/nowhere/key.pem").error().message, HasSubstr("/nowhere/key.pem"));
}

TEST_F(TokenTest, ExpiredTokensEnd) {
    TokenClaims claims = kClaims;
    claims.expires = kNow;
    EXPECT_EQ(why_not(key_.sign(claims).value()), "the token has expired");
    claims.expires = kNow + 1;
    EXPECT_EQ(why_not(key_.sign(claims).value()), "accepted");
}

TEST_F(TokenTest, TheUseMustFit) {
    EXPECT_THAT(why_not(key_.sign(kClaims).value(), TokenUse::refresh), HasSubstr("token for refresh"));
}

TEST_F(TokenTest, ForeignKeysAndTamperedTokensAreRefused) {
    const auto other = TokenKey::open(directory_ / "foreign.pem").value();
    EXPECT_THAT(why_not(other.sign(kClaims).value()), HasSubstr("this server signed"));

    TokenClaims viewer = kClaims;
    viewer.roles = Role::viewer;
    const std::string mine = key_.sign(viewer).value();
    const std::string better = key_.sign(kClaims).value();
    const auto payload = [](const std::string& token) {
        return token.substr(token.find('.'), token.rfind('.') - token.find('.'));
    };
    const std::string mixed = mine.substr(0, mine.find('.')) + payload(better) + mine.substr(mine.rfind('.'));
    EXPECT_THAT(why_not(mixed), HasSubstr("this server signed"));

    for (std::size_t i = 0; i + 2 < mine.size(); ++i) {
        std::string flipped = mine;
        flipped[i] = flipped[i] == 'A' ? 'B' : 'A';
        EXPECT_NE(why_not(flipped), "accepted") << "character " << i;
    }
    for (std::size_t length = 0; length + 1 < mine.size(); length += 7)
        EXPECT_NE(why_not(mine.substr(0, length)), "accepted");
}

TEST_F(TokenTest, TheAlgorithmIsNotTheTokensChoice) {
    const std::string payload =
        base64url(R"({"sub":"admin","role":"administrator","use":"access","exp":2000000060})");
    for (const char* header :
         {R"({"alg":"none"})", R"({"alg":"None","typ":"JWT"})", R"({"typ":"JWT"})", R"({"alg":"ES256"})"})
        for (const char* signature : {"", ".", ".AAAA"})
            EXPECT_THAT(why_not(base64url(header) + "." + payload + signature),
                        HasSubstr("this server signed"))
                << header;

    const std::string pem = public_pem(path_);
    jwt_t* forged = nullptr;
    jwt_new(&forged);
    jwt_add_grants_json(forged, R"({"sub":"admin","role":"administrator","use":"access","exp":2000000060})");
    jwt_set_alg(forged, JWT_ALG_HS256, reinterpret_cast<const unsigned char*>(pem.data()),
                static_cast<int>(pem.size()));
    char* token = jwt_encode_str(forged);
    ASSERT_NE(token, nullptr);
    EXPECT_THAT(why_not(token), HasSubstr("this server signed"));
    free(token);
    jwt_free(forged);
}

TEST_F(TokenTest, ARoleThatIsNotKnownIsNoRole) {
    std::ifstream in(path_);
    const std::string pem{std::istreambuf_iterator<char>(in), {}};
    for (const char* claims : {R"({"sub":"a","role":"root","use":"access","exp":2000000060})",
                               R"({"role":"viewer","use":"access","exp":2000000060})",
                               R"({"sub":"a","role":"viewer","use":"access"})",
                               R"({"sub":"a","role":"viewer","exp":2000000060})"}) {
        jwt_t* jwt = nullptr;
        jwt_new(&jwt);
        jwt_add_grants_json(jwt, claims);
        jwt_set_alg(jwt, JWT_ALG_ES256, reinterpret_cast<const unsigned char*>(pem.data()),
                    static_cast<int>(pem.size()));
        char* token = jwt_encode_str(jwt);
        ASSERT_NE(token, nullptr);
        EXPECT_NE(why_not(token), "accepted") << claims;
        free(token);
        jwt_free(jwt);
    }
}

}  // namespace
}  // namespace rouse::http
