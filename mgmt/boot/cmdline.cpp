#include "mgmt/boot/cmdline.hpp"

#include <algorithm>
#include <sstream>

namespace rouse::boot {
namespace {

Result<void> check_words(std::string_view text) {
    if (std::any_of(text.begin(), text.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return fail("must be one line without control characters");
    if (text.find('\'') != std::string_view::npos)
        return fail("must not hold single quotes, which mean nothing to a kernel and end a word in GRUB");
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;)
        if (word == "||" || word == "&&" || word == ";" || word.starts_with('#'))
            return fail("must not hold the word \"" + word + "\", which iPXE would take for its own syntax");
    return {};
}

}  // namespace

Result<void> check_cmdline(std::string_view text) {
    if (auto checked = check_words(text); !checked) return checked;
    return check_template(text);
}

Result<std::string> render_boot_line(std::string_view cmdline, const MachineValues& values) {
    if (auto checked = check_words(cmdline); !checked) return tl::unexpected(checked.error());
    const auto rendered = render_template(cmdline, values);
    if (!rendered) return tl::unexpected(rendered.error());
    // A value may hold what a template must not.
    if (auto checked = check_words(*rendered); !checked) return tl::unexpected(checked.error());
    std::string line = *rendered + (rendered->empty() ? "" : " ");
    // Hardware type 1 and dashes: pxelinux's convention (its IPAPPEND 2).
    line += "BOOTIF=01-" + values.mac_dashes + " rouse.mac=" + values.mac;
    if (!values.url.empty() && !values.token.empty())
        line += " rouse.url=" + values.url + " rouse.token=" + values.token;
    return line;
}

}  // namespace rouse::boot
