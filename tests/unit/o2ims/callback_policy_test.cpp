// Where callbacks may lead, and where we show who we are.

#include "mgmt/o2ims/callback_policy.hpp"

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

TEST(CallbackPolicy, RefusesWhatLeadsToOurselves) {
    const CallbackPolicy strict;
    EXPECT_TRUE(strict.check("https://smo.example/callback"));
    for (const char* url :
         {"http://smo.example/", "ftp://smo.example/", "smo", "/x", "https://127.0.0.1/", "https://[::1]/",
          "https://localhost/", "https://169.254.169.254/latest", "https://[fe80::1]/", "https://0.0.0.0/",
          "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://[64:ff9b::7f00:1]/",
          "https://[fd00:ec2::254]/", "https://user:secret@smo.example/", "https://224.0.0.1/", ""})
        EXPECT_FALSE(strict.check(url)) << url;
    CallbackPolicy listed;
    listed.hosts = {"smo.example", ".ran.example", "10.0.0.7"};
    for (const char* url : {"https://SMO.example/", "https://a.ran.example:8443/x", "https://10.0.0.7/"})
        EXPECT_TRUE(listed.check(url)) << url;
    for (const char* url : {"https://ran.example/", "https://smo.example.evil/", "https://10.0.0.70/"})
        EXPECT_FALSE(listed.check(url)) << url;
    CallbackPolicy lax{.hosts = {}, .allows_http = true, .allows_loopback = true, .allows_link_local = true};
    for (const char* url : {"http://127.0.0.1:9/", "http://localhost/", "http://169.254.1.1/"})
        EXPECT_TRUE(lax.check(url)) << url;
    EXPECT_FALSE(lax.check("http://0.0.0.0/"));
}

TEST(CallbackPolicy, TrustsTheSmoAndWhoIsListed) {
    CallbackPolicy policy;
    EXPECT_FALSE(policy.trusts("https://smo.example/x"))
        << "any host may subscribe; none is trusted for that";
    policy.smo_url = "https://smo.example:8443/registration";
    for (const char* url : {"https://smo.example/x", "https://SMO.Example:9/", "https://smo.example:8443/y"})
        EXPECT_TRUE(policy.trusts(url)) << url;
    for (const char* url :
         {"https://evil.example/", "https://smo.example.evil/", "https://a.smo.example/", "https://example/",
          "https://smo.example@evil.example/", "https://evil.example/#@smo.example", "smo.example", ""})
        EXPECT_FALSE(policy.trusts(url)) << url;
    policy.hosts = {".ran.example", "fd00::7"};
    for (const char* url : {"https://du.ran.example/", "https://[fd00::7]:8443/", "https://smo.example/"})
        EXPECT_TRUE(policy.trusts(url)) << url;
    for (const char* url : {"https://ran.example/", "https://[fd00::8]/"})
        EXPECT_FALSE(policy.trusts(url)) << url;
    policy.smo_url = "no URL";
    EXPECT_FALSE(policy.trusts("https://smo.example/"));
}

}  // namespace
}  // namespace rouse::o2ims
