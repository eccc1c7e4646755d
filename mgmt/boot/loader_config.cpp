#include "mgmt/boot/loader_config.hpp"

#include "mgmt/store/documents.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/store/records.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <set>

#include <nlohmann/json.hpp>

namespace rouse::boot {
namespace {

using nlohmann::json;

constexpr const char* kRetrySeconds = "10";

struct Kernel {
    std::string profile;
    std::string kernel;
    std::vector<std::string> initrds;
};

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

// One word of GRUB's language, whatever it holds.
std::string grub_word(std::string_view text) {
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

// Directories of the profile's loaders, "" or with a slash at the end: where loaders look for what belongs to
// them.
std::set<std::string> loader_directories(const json& profile) {
    std::set<std::string> directories{""};
    const auto loaders = profile.find("loaders");
    if (loaders == profile.end() || !loaders->is_object()) return directories;
    for (const auto& [architecture, image] : loaders->items())
        if (image.is_string()) {
            const auto& name = image.get_ref<const std::string&>();
            const auto slash = name.rfind('/');
            if (slash != std::string::npos) directories.insert(name.substr(0, slash + 1));
        }
    return directories;
}

// GRUB's own directory is built into it.
std::set<std::string> grub_directories(const json& profile) {
    std::set<std::string> directories = loader_directories(profile);
    for (const std::string& directory : std::set<std::string>(directories))
        directories.insert(directory + "grub/");                 // Debian's signed GRUB: /grub
    directories.insert("boot/grub/");                            // grub-mknetdir
    for (const char* architecture : {"amd64", "arm64", "i386"})  // Debian's installer, signed
        directories.insert("debian-installer/" + std::string(architecture) + "/grub/");
    return directories;
}

std::string own_file(const std::string& directory, const char* stem) {
    return directory + stem + "01-" + store::kOwnAddress;
}

LoaderConfig for_ipxe(const Kernel& kernel, const json& profile) {
    LoaderConfig config;
    config.names = {std::string(store::kBootScriptName)};
    for (const auto& directory : loader_directories(profile))
        config.names.push_back(directory + "autoexec.ipxe");
    config.before =
        "#!ipxe\n"
        ":start\n"
        "isset ${next-server} || dhcp || goto failed\n"
        "echo rouse: ${hostname} boots profile " +
        kernel.profile + "\nkernel tftp://${next-server}/" + uri_path(kernel.kernel);
    // A kernel started by UEFI finds its ramdisks by these words only. The names are given here, so that two
    // ramdisks of the same base name stay apart.
    for (std::size_t i = 0; i < kernel.initrds.size(); ++i)
        config.before += " initrd=initrd" + std::to_string(i);
    config.before += " ";
    config.after = " || goto failed\n";
    for (std::size_t i = 0; i < kernel.initrds.size(); ++i)
        config.after += "initrd --name initrd" + std::to_string(i) + " tftp://${next-server}/" +
                        uri_path(kernel.initrds[i]) + " || goto failed\n";
    config.after += std::string("boot || goto failed\n") +
                    ":failed\n"
                    "echo rouse: ${hostname} could not load its kernel or ramdisk (the line above says "
                    "which).\n"
                    "echo rouse: see what is missing with: rousectl timeline ${mac}\n"
                    "echo rouse: trying again in " +
                    kRetrySeconds +
                    " seconds.\n"
                    "imgfree\n"
                    "sleep " +
                    kRetrySeconds +
                    "\n"
                    "goto start\n";
    return config;
}

// "::" is the server's root, wherever pxelinux itself came from. On an error it falls back to its prompt, and
// ONTIMEOUT has it try again.
LoaderConfig for_pxelinux(const Kernel& kernel, const json& profile) {
    LoaderConfig config;
    for (const auto& directory : loader_directories(profile)) {
        config.names.push_back(own_file(directory, "pxelinux.cfg/"));
        config.names.push_back(directory + "pxelinux.cfg/default");
    }
    config.before =
        "DEFAULT rouse\n"
        "PROMPT 0\n"
        "TIMEOUT " +
        std::string(kRetrySeconds) +
        "0\n"
        "ONTIMEOUT rouse\n"
        "LABEL rouse\n"
        "SAY rouse: boots profile " +
        kernel.profile + "\nLINUX ::" + kernel.kernel + "\n";
    for (std::size_t i = 0; i < kernel.initrds.size(); ++i)
        config.before += (i == 0 ? "INITRD ::" : ",::") + kernel.initrds[i];
    if (!kernel.initrds.empty()) config.before += "\n";
    config.before += "APPEND ";
    config.after = "\n";
    return config;
}

LoaderConfig for_grub(const Kernel& kernel, const json& profile) {
    LoaderConfig config;
    config.spoils_quotes = true;
    for (const auto& directory : grub_directories(profile)) {
        config.names.push_back(own_file(directory, "grub.cfg-"));
        config.names.push_back(directory + "grub.cfg");
    }
    std::string initrds;
    for (const auto& initrd : kernel.initrds) initrds += " " + grub_word("/" + initrd);
    // A variable, because its value is not read as GRUB's language; without quotes around its use it becomes
    // words again.
    config.before = "set rouse_line='";
    config.after = "'\nwhile true; do\n  echo " + grub_word("rouse: boots profile " + kernel.profile) +
                   "\n  if linux " + grub_word("/" + kernel.kernel) + " $rouse_line; then\n";
    config.after += initrds.empty() ? "    boot\n" : "    if initrd" + initrds + "; then boot; fi\n";
    config.after +=
        "  fi\n"
        "  echo 'rouse: the kernel or ramdisk could not be loaded (the line above says which).'\n"
        "  echo \"rouse: see what is missing with: rousectl timeline $net_default_mac\"\n"
        "  echo 'rouse: trying again in " +
        std::string(kRetrySeconds) + " seconds.'\n  sleep " + kRetrySeconds + "\ndone\n";
    return config;
}

}  // namespace

std::vector<LoaderConfig> loader_configs(const json& profile) {
    const Kernel kernel{.profile = store::text_of_field(profile, "name"),
                        .kernel = store::text_of_field(profile, "kernel"),
                        .initrds = profile.value("initrds", std::vector<std::string>{})};
    if (kernel.kernel.empty()) return {};
    return {for_ipxe(kernel, profile), for_pxelinux(kernel, profile), for_grub(kernel, profile)};
}

}  // namespace rouse::boot
