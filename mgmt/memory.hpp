#pragma once
// Keeps the process as small as what it holds.

#include <string>

namespace rouse::mgmt {

// How the allocator behaves from now on. Before any thread is started.
void keep_memory_small();

// Gives the kernel back what was freed, and unmaps what was read of STORE_FILE, whose pages stay in the
// kernel's cache for as long as it has room. A few milliseconds; any thread, at any time.
// False: that file is not mapped.
bool give_back_memory(const std::string& store_file);

}  // namespace rouse::mgmt
