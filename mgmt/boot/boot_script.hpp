#pragma once
// The iPXE script of one machine (ipxe.org/scripting), served as kBootScriptName.

#include "shared/addresses.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rouse::boot {

struct BootScript {
    std::string hostname;
    MacAddress mac;
    std::string profile;  // its name
    std::string kernel;   // image names
    std::vector<std::string> initrds;
    std::string cmdline;  // rendered
    std::string url;      // of the rack side's HTTP listener
    std::string token;    // one-time
};

// Loads by TFTP from the server that sent the script, tries again every few seconds when that fails, and
// tells a person at the console why.
[[nodiscard]] std::string render(const BootScript& script);

}  // namespace rouse::boot
