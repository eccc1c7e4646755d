#include "mgmt/http/key_ring.hpp"

#include "mgmt/http/base64.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <csignal>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rouse::http {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
constexpr std::int64_t kNow = 2'000'000'000;

class KeyRingTest : public testing::Test {
  protected:
    [[nodiscard]] KeyRing open(std::int64_t now = kNow) const {
        return KeyRing::open({.directory = directory_ / "keys",
                              .former_key = directory_ / "token-key.pem",
                              .token_life = seconds(100),
                              .max_age = seconds(1000)},
                             now)
            .value();
    }
    static std::string token(const KeyRing& ring, std::int64_t now) {
        return ring.sign({"admin", Role::viewer, TokenUse::access, "", now + 100}).value();
    }
    static bool takes(const KeyRing& ring, const std::string& token, std::int64_t now) {
        return ring.verify(token, TokenUse::access, now).has_value();
    }
    static std::set<std::string> ids(const KeyRing& ring) {
        std::set<std::string> out;
        for (const auto& key : ring.keys()) out.insert(key.id);
        return out;
    }

    TemporaryDirectory directory_;
};

TEST_F(KeyRingTest, ANewKeySignsAndTheOldOneVerifiesUntilItsLastTokenExpires) {
    auto ring = open();
    const auto old = token(ring, kNow);
    ASSERT_TRUE(ring.rotate(kNow));
    ASSERT_EQ(ring.keys().size(), 2U);
    EXPECT_EQ(ring.keys()[0].verifies_until, 0);
    EXPECT_EQ(ring.keys()[1].verifies_until, kNow + 101);
    EXPECT_TRUE(takes(ring, old, kNow + 99));
    EXPECT_TRUE(takes(ring, token(ring, kNow), kNow + 99));
    EXPECT_FALSE(*ring.tend(kNow + 100));
    EXPECT_TRUE(*ring.tend(kNow + 101));
    EXPECT_EQ(ring.keys().size(), 1U);
    EXPECT_THAT(ring.verify(old, TokenUse::access, kNow).error().message, HasSubstr("this server signed"));
}

TEST_F(KeyRingTest, RotatesByAge) {
    auto ring = open();
    EXPECT_FALSE(*ring.tend(kNow + 999));
    EXPECT_TRUE(*ring.tend(kNow + 1000));
    EXPECT_EQ(ring.keys().size(), 2U);
    EXPECT_FALSE(*ring.tend(kNow + 1001));
    EXPECT_EQ(open(kNow + 5000).keys().size(), 2U) << "also when nobody was there at its time";
}

TEST_F(KeyRingTest, SurvivesARestart) {
    auto ring = open();
    const auto first = token(ring, kNow);
    ASSERT_TRUE(ring.rotate(kNow));
    const auto second = token(ring, kNow);
    const auto again = open();
    EXPECT_TRUE(takes(again, first, kNow));
    EXPECT_TRUE(takes(again, second, kNow));
    EXPECT_EQ(again.keys()[0].id, ring.keys()[0].id);
    struct stat status {};
    ASSERT_EQ(::stat((directory_ / "keys").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(KeyRingTest, AClockThatIsSetBackLeavesTheNewestKeySigning) {
    auto ring = open();
    ASSERT_TRUE(ring.rotate(kNow - 500));
    ASSERT_TRUE(ring.rotate(kNow - 500));
    const auto newest = ring.keys()[0].id;
    EXPECT_EQ(open().keys()[0].id, newest);
    EXPECT_EQ(open().keys().size(), 3U);
}

TEST_F(KeyRingTest, TakesTheKeyOfFormerBuilds) {
    const auto former = TokenKey::open(directory_ / "token-key.pem").value();
    const auto token = former.sign({"admin", Role::viewer, TokenUse::access, "", kNow + 100}).value();
    const auto now =
        std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    EXPECT_TRUE(takes(open(now), token, kNow));
    EXPECT_FALSE(std::filesystem::exists(directory_ / "token-key.pem"));
    EXPECT_EQ(ids(open(now)), std::set{former.id()});
}

TEST_F(KeyRingTest, AHalfWrittenKeyIsNone) {
    const auto id = ids(open());
    std::ofstream(directory_ / "keys/1999999999999.pem.new") << "half";
    EXPECT_EQ(ids(open()), id);
}

TEST_F(KeyRingTest, IsWholeWhereverTheProcessWasKilled) {
    const auto first = open();
    const auto old = token(first, kNow);
    for (int round = 0; round < 20; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto ring = open();
            for (int i = 0; i < 1000; ++i) (void)ring.rotate(kNow);
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(500 * (round + 1)));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto ring = open();
        ASSERT_TRUE(takes(ring, old, kNow)) << "round " << round;
        ASSERT_TRUE(takes(ring, token(ring, kNow), kNow)) << "round " << round;
    }
}

TEST_F(KeyRingTest, PublishesPublicHalvesAlone) {
    auto ring = open();
    ASSERT_TRUE(ring.rotate(kNow));
    const auto keys = ring.jwks().at("keys");
    ASSERT_EQ(keys.size(), 2U);
    for (const auto& key : keys) {
        EXPECT_EQ(key.at("kty"), "EC");
        EXPECT_EQ(key.at("crv"), "P-256");
        EXPECT_EQ(key.at("alg"), "ES256");
        EXPECT_EQ(key.at("use"), "sig");
        EXPECT_TRUE(ids(ring).contains(key.at("kid")));
        EXPECT_EQ(base64url_decode(key.at("x").get<std::string>())->size(), 32U);
        EXPECT_EQ(base64url_decode(key.at("y").get<std::string>())->size(), 32U);
        EXPECT_FALSE(key.contains("d"));
    }
}

TEST(Base64, DecodesWhatIsItsOwnAndNothingElse) {
    const std::string bytes = std::string("\x00\xff\x10 any", 7);
    for (std::size_t n = 0; n <= bytes.size(); ++n)
        EXPECT_EQ(base64url_decode(base64url(bytes.substr(0, n))), bytes.substr(0, n)) << n;
    EXPECT_EQ(base64url("\xfb\xff"), "-_8");
    EXPECT_EQ(base64_decode("YTpi"), "a:b");
    EXPECT_EQ(base64_decode("+/8="), "\xfb\xff");
    for (const char* wrong : {"A", "AB", "YTpi=", "YT=i", "YTp*", "YQ", "YR=="})
        EXPECT_FALSE(base64_decode(wrong)) << wrong;
    for (const char* wrong : {"A", "YQ==", "AB", "+/8"}) EXPECT_FALSE(base64url_decode(wrong)) << wrong;
}

}  // namespace
}  // namespace rouse::http
