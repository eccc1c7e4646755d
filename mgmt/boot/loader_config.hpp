#pragma once
// The configuration of each boot loader for a profile with a kernel: its names, and its text as a frame
// around a machine's boot line (see FramedText). Every loader then starts the same kernel in the same way,
// tries again every few seconds when that fails, and tells a person at the console why.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::boot {

struct LoaderConfig {
    std::vector<std::string> names;  // with store::kOwnAddress for the machine's own address
    std::string before, after;       // the line comes between them
    // GRUB passes double quotes and backslashes on to the kernel with a backslash before each
    // (grub-core/lib/cmdline.c), which the kernel does not take away again.
    bool spoils_quotes = false;
};

// For iPXE, pxelinux and GRUB.
[[nodiscard]] std::vector<LoaderConfig> loader_configs(const nlohmann::json& profile);

}  // namespace rouse::boot
