#include "mgmt/memory.hpp"

#include "shared/clock.hpp"

#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <malloc.h>
#include <sys/mman.h>

namespace rouse::mgmt {

// Hashing a password takes 19 MiB for a moment. Left to itself the allocator learns from that to keep such
// memory, in each thread's arena; a fixed threshold lets the kernel have it back.
void keep_memory_small() {
    constexpr int kMapFrom = 1 << 20;  // bytes: larger blocks are mapped, and unmapped when freed
    mallopt(M_MMAP_THRESHOLD, kMapFrom);
    mallopt(M_TRIM_THRESHOLD, 4 * kMapFrom);
}

std::uint64_t used_cpu_ns() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<std::uint64_t>(used.tv_sec) * kNanosPerSecond +
           static_cast<std::uint64_t>(used.tv_nsec);
}

// LMDB does not tell where its map is; the kernel does.
bool give_back_memory(const std::string& store_file) {
    ::malloc_trim(0);
    std::error_code error;
    const std::string path = std::filesystem::canonical(store_file, error);
    bool is_mapped = false;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; !error && std::getline(maps, line);) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        if (!line.ends_with(" " + path) ||
            std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) != 2)
            continue;
        is_mapped = ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0;
    }
    return is_mapped;
}

}  // namespace rouse::mgmt
