#pragma once
// Keeps the process as small as what it holds.

#include <cstdint>
#include <string>

namespace rouse::mgmt {

// How the allocator behaves from now on. Before any thread is started.
void keep_memory_small();

// Processor time of the whole process so far, nanoseconds: who is at rest uses little of it.
[[nodiscard]] std::uint64_t used_cpu_ns();

// Gives the kernel back what was freed, and unmaps what was read of STORE_FILE, whose pages stay in the
// kernel's cache for as long as it has room. Any thread; when much was freed, whoever allocates meanwhile
// waits for tens of milliseconds. False: that file is not mapped.
bool give_back_memory(const std::string& store_file);

}  // namespace rouse::mgmt
