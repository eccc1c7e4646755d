#include "shared/miss.hpp"

#include <algorithm>
#include <array>

namespace rouse {
namespace {

constexpr bool is_hex(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

// What pxelinux and GRUB put behind the name of their configuration, one try per line: the hardware address
// behind its type ("01-52-54-00-aa-00-01"), a UUID, and ever shorter prefixes of the address in hex.
constexpr bool is_machine_suffix(std::string_view text) noexcept {
    constexpr std::size_t kHexAddress = 8;
    constexpr std::size_t kTypeAndMac = 20;
    constexpr std::size_t kUuid = 36;
    if (!text.empty() && text.size() <= kHexAddress) return is_hex(text);
    if (text.size() != kTypeAndMac && text.size() != kUuid) return false;
    return std::ranges::all_of(text, [](char c) { return c == '-' || is_hex({&c, 1}); });
}

constexpr bool is_numbered(std::string_view text, std::string_view stem, std::string_view extension) {
    return text.size() == stem.size() + 1 + extension.size() && text.starts_with(stem) &&
           text.ends_with(extension) && text[stem.size()] >= '0' && text[stem.size()] <= '9';
}

constexpr bool is_hex_address(std::string_view text) noexcept {
    return text.size() == 8 && is_hex(text);
}

// Raspberry Pi: everything is first looked for in a directory named after the serial number.
constexpr bool is_in_serial_directory(std::string_view directory) noexcept {
    return is_hex_address(directory.substr(0, directory.find('/')));
}

constexpr bool is_config_search(std::string_view directory, std::string_view file) noexcept {
    constexpr std::string_view kGrub = "grub.cfg-";
    if (is_in_serial_directory(directory)) return true;
    if (file.starts_with(kGrub)) return is_machine_suffix(file.substr(kGrub.size()));
    if (directory != "pxelinux.cfg" && !directory.ends_with("/pxelinux.cfg")) return false;
    return is_machine_suffix(file) || file.starts_with("default-");  // U-Boot: default-<arch>-<board>
}

constexpr bool is_optional(std::string_view directory, std::string_view file) noexcept {
    constexpr auto kFiles = std::to_array<std::string_view>(
        {// shim: revocations and certificates beside it
         "revocations.efi", "revocations_sku.efi", "revocations_sbat.efi", "shim_certificate.efi",
         // iPXE tries it before anything it was told
         "autoexec.ipxe",
         // GRUB: module lists, without which commands load no modules by themselves
         "command.lst", "fs.lst", "crypto.lst", "terminal.lst", "partmap.lst", "parttool.lst", "video.lst",
         // U-Boot: a script ahead of its other ways to boot
         "boot.scr", "boot.scr.uimg",
         // Raspberry Pi: rescue, signatures and overlays before what it starts
         "pieeprom.sig", "recover4.elf", "recovery.elf", "bootcfg.txt", "dt-blob.bin", "armstub8-gic.bin"});
    constexpr std::string_view kImage = ".img";
    if (file.ends_with(kImage) && is_hex_address(file.substr(0, file.size() - kImage.size())))
        return true;  // U-Boot, told of no file: its address
    if ((directory == "locale" || directory.ends_with("/locale")) &&
        (file.ends_with(".gmo") || file.ends_with(".mo")))
        return true;  // GRUB: its messages in the user's language
    if (file.empty() && (directory == "dtb" || directory.ends_with("/dtb")))
        return true;  // U-Boot, no fdtfile
    return std::ranges::find(kFiles, file) != kFiles.end() || is_numbered(file, "shim_certificate_", ".efi");
}

}  // namespace

MissKind classify_miss(std::string_view name) noexcept {
    const auto slash = name.rfind('/');
    const auto directory = slash == std::string_view::npos ? std::string_view{} : name.substr(0, slash);
    const auto file = slash == std::string_view::npos ? name : name.substr(slash + 1);
    if (is_config_search(directory, file)) return MissKind::config_search;
    if (is_optional(directory, file)) return MissKind::optional;
    return MissKind::real;
}

}  // namespace rouse
