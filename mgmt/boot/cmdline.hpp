#pragma once
// Kernel command lines with a machine's own data: "console=ttyS0 name={{hostname}} ip={{ip}}". Mustache
// syntax, sections included: "{{#cluster}}cluster={{cluster}}{{/cluster}}".

#include "shared/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rouse::boot {

// The values that a template may use.
struct CmdlineValues {
    std::string hostname;
    std::string mac;      // aa:bb:cc:dd:ee:ff
    std::string ip;       // 10.77.0.9
    std::string netmask;  // 255.255.0.0
    std::string gateway;  // empty: none
    std::string cluster;  // its name; empty: none
    std::string url;      // of the rack side's HTTP listener: http://10.77.0.1
    std::string token;    // one-time token
};

// Refuses what is no template, names that no machine has, control characters, and words that iPXE takes for
// its own syntax ("||", "&&", ";", "#...": ipxe.org/scripting).
[[nodiscard]] Result<void> check_cmdline(std::string_view text);

// The command line for one machine; an error as check_cmdline() would give.
[[nodiscard]] Result<std::string> render_cmdline(std::string_view text, const CmdlineValues& values);

}  // namespace rouse::boot
