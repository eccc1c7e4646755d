#include "dataplane/worker/neighbour_limit.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse::worker {
namespace {

class NeighbourLimit : public ::testing::Test {
  protected:
    ~NeighbourLimit() override { std::filesystem::remove_all(root_); }
    std::string path(const std::string& family, const std::string& name) const {
        return root_ + "/" + family + "/neigh/default/" + name;
    }
    void put(const std::string& family, const std::string& name, std::size_t value) const {
        std::filesystem::create_directories(root_ + "/" + family + "/neigh/default");
        std::ofstream(path(family, name)) << value << '\n';
    }
    [[nodiscard]] std::size_t get(const std::string& family, const std::string& name) const {
        std::size_t value = 0;
        std::ifstream(path(family, name)) >> value;
        return value;
    }
    std::string root_ = ::testing::TempDir() + "rouse-neigh-" + std::to_string(::getpid());
};

TEST_F(NeighbourLimit, IsRaisedAndNeverLowered) {
    put("ipv4", "gc_thresh2", 512);
    put("ipv4", "gc_thresh3", 1024);
    put("ipv6", "gc_thresh2", 70'000);
    put("ipv6", "gc_thresh3", 80'000);
    EXPECT_TRUE(allow_neighbours(65'536, root_));
    EXPECT_EQ(get("ipv4", "gc_thresh2"), 65'536U);
    EXPECT_EQ(get("ipv4", "gc_thresh3"), 65'536U);
    EXPECT_EQ(get("ipv6", "gc_thresh2"), 70'000U);
    EXPECT_EQ(get("ipv6", "gc_thresh3"), 80'000U);
}

TEST_F(NeighbourLimit, IsNobodysInAnotherNamespace) {
    EXPECT_TRUE(allow_neighbours(65'536, root_));
    EXPECT_FALSE(std::filesystem::exists(path("ipv4", "gc_thresh3")));
}

TEST_F(NeighbourLimit, ThatCannotBeRaisedIsSaidWithWhatToDo) {
    put("ipv4", "gc_thresh2", 512);
    // A number that not even root may change.
    std::filesystem::create_symlink("/proc/sys/kernel/ngroups_max", path("ipv4", "gc_thresh3"));
    const auto refused = allow_neighbours(1'000'000, root_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message,
                ::testing::HasSubstr("sysctl -w net.ipv4.neigh.default.gc_thresh3=1000000"));
}

}  // namespace
}  // namespace rouse::worker
