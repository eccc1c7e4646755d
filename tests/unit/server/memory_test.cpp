#include "mgmt/memory.hpp"

#include "tests/unit/http/temporary_directory.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rouse::mgmt {
namespace {

constexpr std::size_t kBytes = 8 << 20;

// How much of the file that PATH names is mapped into this process and in memory.
std::size_t resident_kib(const std::string& path) {
    std::ifstream maps("/proc/self/smaps");
    bool is_ours = false;
    for (std::string line; std::getline(maps, line);) {
        if (line.find(path) != std::string::npos) is_ours = true;
        if (is_ours && line.starts_with("Rss:")) return std::strtoul(line.c_str() + 4, nullptr, 10);
    }
    return 0;
}

TEST(Memory, WhatWasReadOfTheStoreIsGivenBack) {
    const http::TemporaryDirectory directory;
    const std::string path = directory.path() + "/data.mdb";
    const std::string content(kBytes, 'x');
    std::ofstream(path) << content;
    EXPECT_FALSE(give_back_memory(path)) << "nobody has it mapped";
    const int file = ::open(path.c_str(), O_RDONLY);
    ASSERT_GE(file, 0);
    auto* mapped = static_cast<const char*>(::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, file, 0));
    ::close(file);
    ASSERT_NE(mapped, MAP_FAILED);
    EXPECT_EQ(std::string_view(mapped, kBytes), content);
    EXPECT_EQ(resident_kib(path), kBytes / 1024);
    EXPECT_TRUE(give_back_memory(path));
    EXPECT_EQ(resident_kib(path), 0U);
    EXPECT_EQ(std::string_view(mapped, kBytes), content) << "it is still there";
    ::munmap(const_cast<char*>(mapped), kBytes);
    EXPECT_FALSE(give_back_memory(directory.path() + "/none"));
}

TEST(Memory, WhoSleepsUsesNoProcessorTime) {
    using namespace std::chrono_literals;
    const auto before = used_cpu_ns();
    std::this_thread::sleep_for(100ms);
    const auto slept = used_cpu_ns() - before;
    EXPECT_LT(slept, 50'000'000U);
    const auto end = std::chrono::steady_clock::now() + 300ms;
    while (std::chrono::steady_clock::now() < end) {
    }
    EXPECT_GT(used_cpu_ns() - before, slept + 10'000'000U) << "a busy machine may give us little of it";
}

}  // namespace
}  // namespace rouse::mgmt
