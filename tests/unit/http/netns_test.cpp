// A listener inside another network namespace, seen from there and not from here.

#include "mgmt/http/scoped_netns.hpp"
#include "tests/unit/http/client.hpp"
#include "tests/unit/http/server.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse::http {
namespace {

class NetnsTest : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "making a network namespace takes root";
        ASSERT_EQ(std::system(("ip netns add " + name_ + " && ip -n " + name_ + " link set lo up").c_str()),
                  0);
    }
    void TearDown() override {
        if (geteuid() != 0) return;
        EXPECT_EQ(std::system(("ip netns delete " + name_).c_str()), 0);
    }
    std::string name_ = "http-test-" + std::to_string(getpid());
    std::string path_ = "/run/netns/" + name_;
};

TEST_F(NetnsTest, TheListenerIsThereAndTheThreadStaysHere) {
    Router router;
    router.add({.pattern = "/hello", .access = Access::anyone()},
               [](Request&) -> Outcome { return Response::text("hello"); });
    Server server(router, {.netns = path_});
    EXPECT_THROW(Client(server.port()), std::runtime_error);
    std::optional<Client> client;
    {
        const auto inside = ScopedNetns::enter(path_);
        ASSERT_TRUE(inside) << inside.error().message;
        client.emplace(server.port());
    }
    EXPECT_EQ(client->get("/hello").body, "hello");
    EXPECT_THROW(Client(server.port()), std::runtime_error);
}

TEST_F(NetnsTest, AFileThatIsNoNamespaceIsNamed) {
    const auto entered = ScopedNetns::enter("/etc/hostname");
    ASSERT_FALSE(entered);
    EXPECT_THAT(entered.error().message,
                testing::HasSubstr("cannot enter the network namespace /etc/hostname"));
}

}  // namespace
}  // namespace rouse::http
