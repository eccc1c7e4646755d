#include "shared/config.hpp"

#include <cstdio>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace rouse {
namespace {

std::variant<Config, int> parse(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), "rouse-test");
    for (auto& argument : arguments) argv.push_back(argument.data());
    testing::internal::CaptureStderr();
    auto result = parse_config("rouse-test", "", static_cast<int>(argv.size()), argv.data());
    testing::internal::GetCapturedStderr();
    return result;
}

std::string file_with(const std::string& text) {
    const std::string path = testing::TempDir() + "rouse-config-" + std::to_string(::getpid()) + ".toml";
    std::ofstream(path) << text;
    return path;
}

TEST(ParseConfig, FileThenFlagThenDefault) {
    const auto path = file_with(
        "[api]\nlisten = \"127.0.0.1:1\"\naccess_token_seconds = 60\n[dataplane]\nport = \"xdp:eth9\"\n");
    const auto result = parse({"--config", path, "--api.listen", "127.0.0.1:2"});
    ASSERT_TRUE(std::holds_alternative<Config>(result));
    const auto& config = std::get<Config>(result);
    EXPECT_EQ(config.api.listen, "127.0.0.1:2");
    EXPECT_EQ(config.api.access_token_seconds, 60U);
    EXPECT_EQ(config.dataplane.port, "xdp:eth9");
    EXPECT_EQ(config.store.map_size_gib, Config{}.store.map_size_gib);
}

TEST(ParseConfig, UnknownKeysAndBadValuesAreErrors) {
    for (const char* text :
         {"[api]\nlisten_on = \"x\"\n", "[log]\nlevel = \"loud\"\n", "[store]\nmap_size_gib = \"many\"\n"}) {
        const auto result = parse({"--config", file_with(text)});
        ASSERT_TRUE(std::holds_alternative<int>(result)) << text;
        EXPECT_NE(std::get<int>(result), 0) << text;
    }
}

TEST(PrepareRunDir, RefusesADiskBackedDirectory) {
    EXPECT_TRUE(prepare_run_dir("/dev/shm/rouse-config-test"));
    std::remove("/dev/shm/rouse-config-test");
}

}  // namespace
}  // namespace rouse
