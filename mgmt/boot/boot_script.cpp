#include "mgmt/boot/boot_script.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace rouse::boot {
namespace {

constexpr int kRetrySeconds = 10;

// As a URI's path (RFC 3986 3.3); iPXE decodes it again.
std::string uri_path(std::string_view name) {
    std::string path;
    for (const char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
            std::string_view("-._~/").find(c) != std::string_view::npos) {
            path += c;
            continue;
        }
        char escaped[4];
        std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
        path += escaped;
    }
    return path;
}

// For pxelinux's convention, which initramfs tools read: hardware type 1, dashes.
std::string bootif(const MacAddress& mac) {
    std::string text = "01-" + mac.to_string();
    std::replace(text.begin(), text.end(), ':', '-');
    return text;
}

std::string initrd_name(std::size_t i) {
    return "initrd" + std::to_string(i);
}

std::string kernel_line(const BootScript& script) {
    std::string line = "kernel tftp://${next-server}/" + uri_path(script.kernel);
    // A kernel started by UEFI finds its ramdisks by these words only. The names are given here, so that two
    // ramdisks of the same base name stay apart.
    for (std::size_t i = 0; i < script.initrds.size(); ++i) line += " initrd=" + initrd_name(i);
    if (!script.cmdline.empty()) line += " " + script.cmdline;
    line += " BOOTIF=" + bootif(script.mac) + " rouse.mac=" + script.mac.to_string();
    if (!script.url.empty()) line += " rouse.url=" + script.url + " rouse.token=" + script.token;
    return line;
}

}  // namespace

std::string render(const BootScript& script) {
    const std::string retry = std::to_string(kRetrySeconds);
    std::string text =
        "#!ipxe\n"
        ":start\n"
        "echo rouse: " +
        script.hostname + " boots profile " + script.profile + "\n" + kernel_line(script) +
        " || goto failed\n";
    for (std::size_t i = 0; i < script.initrds.size(); ++i)
        text += "initrd --name " + initrd_name(i) + " tftp://${next-server}/" + uri_path(script.initrds[i]) +
                " || goto failed\n";
    text +=
        "boot || goto failed\n"
        ":failed\n"
        "echo rouse: " +
        script.hostname +
        " could not load its kernel or ramdisk (the line above says which).\n"
        "echo rouse: see what is missing with: rousectl timeline " +
        script.hostname +
        "\n"
        "echo rouse: trying again in " +
        retry +
        " seconds.\n"
        "imgfree\n"
        "sleep " +
        retry +
        "\n"
        "goto start\n";
    return text;
}

}  // namespace rouse::boot
