#pragma once
// Kernel command lines: a profile's template, and the boot line that each machine adds to its loaders'
// configuration (see FramedText).

#include "mgmt/boot/template.hpp"
#include "shared/addresses.hpp"
#include "shared/result.hpp"

#include <string>
#include <string_view>

namespace rouse::boot {

// Refuses what check_template() refuses, more than one line, control characters, and what loaders take for
// their own syntax: single quotes (GRUB), the words "||", "&&", ";" and "#..." (ipxe.org/scripting).
[[nodiscard]] Result<void> check_cmdline(std::string_view text);

// The boot line of one machine: the template's words, then its address for initramfs tools and the ramdisk's
// agent (BOOTIF, rouse.mac) and, while the appliance's address is known and for who has a token (guests have
// none), where to report home and the token to show there. Errors as of check_cmdline().
[[nodiscard]] Result<std::string> render_boot_line(std::string_view cmdline, const MachineValues& values);

}  // namespace rouse::boot
