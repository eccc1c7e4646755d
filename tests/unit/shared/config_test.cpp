#include "shared/config.hpp"

#include <cstdio>
#include <filesystem>
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

TEST(ParseConfig, TransfersAreAHundredThousandAndMore) {
    EXPECT_GE(Config{}.dataplane.sessions, 100'000U);
    for (const char* wrong : {"0", "1048577", "-1"})
        EXPECT_TRUE(std::holds_alternative<int>(parse({"--dataplane.sessions", wrong}))) << wrong;
    const auto most = parse({"--dataplane.sessions", "1048576"});
    ASSERT_TRUE(std::holds_alternative<Config>(most));
    EXPECT_EQ(std::get<Config>(most).dataplane.sessions, 1'048'576U);
}

TEST(ParseConfig, WorkersCoresRestAndRings) {
    const auto chosen = [](std::vector<std::string> arguments) {
        auto result = parse(std::move(arguments));
        return std::holds_alternative<Config>(result) ? std::get<Config>(result).dataplane
                                                      : Config::Dataplane{.workers = 999};
    };
    EXPECT_EQ(chosen({}).workers, 0U);
    EXPECT_EQ(chosen({"--dataplane.workers", "auto"}).workers, 0U);
    const auto flags = chosen({"--dataplane.workers", "3", "--dataplane.cores", "1,4,5"});
    EXPECT_EQ(flags.workers, 3U);
    EXPECT_EQ(flags.cores, (std::vector{1U, 4U, 5U}));
    EXPECT_EQ(flags.rest, "adaptive");
    const auto file =
        chosen({"--config", file_with("[dataplane]\nworkers = 2\ncores = [2, 3]\nrest = \"never\"\n")});
    EXPECT_EQ(file.workers, 2U);
    EXPECT_EQ(file.cores, (std::vector{2U, 3U}));
    EXPECT_EQ(file.rest, "never");
    for (const char* wrong : {"many", "65", "-1"})
        EXPECT_EQ(chosen({"--dataplane.workers", wrong}).workers, 999U) << wrong;
    EXPECT_EQ(chosen({"--dataplane.rest", "sometimes"}).workers, 999U);
    EXPECT_EQ(chosen({"--dataplane.ring_frames", "8192"}).ring_frames, 8192U);
    EXPECT_EQ(chosen({"--dataplane.ring_frames", "63"}).workers, 999U);
}

TEST(ParseConfig, TransfersShareAPortUnlessToldOtherwise) {
    EXPECT_EQ(Config{}.tftp_ports().count, 0);
    const auto chosen = parse({"--dataplane.tftp_ports", "per-transfer"});
    ASSERT_TRUE(std::holds_alternative<Config>(chosen));
    EXPECT_EQ(std::get<Config>(chosen).tftp_ports(), (PortRange{61440, 4096}));
    const auto moved =
        parse({"--config",
               file_with("[dataplane]\ntftp_ports = \"per-transfer\"\ntftp_port_range = \"20000-20999\"\n")});
    ASSERT_TRUE(std::holds_alternative<Config>(moved));
    EXPECT_EQ(std::get<Config>(moved).tftp_ports(), (PortRange{20'000, 1000}));
}

TEST(ParseConfig, RangesOfPortsThatCannotBe) {
    for (const char* range : {"", "61440", "61440-", "-61440", "61440-65536", "65535-61440", "0-4095",
                              "512-2048", "4000-4999", "61440-61500", "61440 - 65535", "61440-65535x"})
        EXPECT_TRUE(std::holds_alternative<int>(parse({"--dataplane.tftp_port_range", range}))) << range;
    EXPECT_TRUE(std::holds_alternative<int>(parse({"--dataplane.tftp_ports", "some"})));
}

TEST(PrepareRunDir, RefusesADiskBackedDirectory) {
    EXPECT_TRUE(prepare_run_dir("/dev/shm/rouse-config-test"));
    std::remove("/dev/shm/rouse-config-test");
}

TEST(Config, KnowsTheKernelsInterfaceOnTheRack) {
    Config config;
    for (const auto& [port, interface] : std::initializer_list<std::pair<const char*, const char*>>{
             {"auto:rack0", "rack0"},
             {"xdp:rack0,generic", "rack0"},
             {"dpdk:net_af_packet0,iface=rack0", "rouse0"},
             {"dpdk:0000:03:00.0", "rouse0"},
             {"auto:03:00.0", "rouse0"},
             {"auto:net_tap0", "rouse0"}}) {
        config.dataplane.port = port;
        EXPECT_EQ(config.rack_interface(), interface) << port;
    }
    namespace fs = std::filesystem;
    const fs::path sysfs = fs::temp_directory_path() / ("rouse-config-sysfs-" + std::to_string(::getpid()));
    const fs::path card = sysfs / "bus/pci/devices/0000:03:00.0";
    fs::create_directories(card / "net/eth7");
    fs::create_symlink("/drivers/ixgbe", card / "driver");
    config.dataplane.port = "auto:03:00.0";
    EXPECT_EQ(config.rack_interface(sysfs), "eth7");
    config.dataplane.port = "dpdk:03:00.0";
    EXPECT_EQ(config.rack_interface(sysfs), "rouse0");
    fs::remove_all(sysfs);
    config.dataplane.address = "10.77.0.1/16";
    EXPECT_EQ(config.rack_address(), "10.77.0.1");
    config.dataplane.address = "10.77.0.1";
    EXPECT_EQ(config.rack_address(), "10.77.0.1");
}

}  // namespace
}  // namespace rouse
