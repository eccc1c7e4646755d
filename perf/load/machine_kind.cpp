#include "perf/load/machine_kind.hpp"

#include <string>

namespace rouse::load {
namespace {

using namespace std::string_view_literals;

constexpr auto kEdk2Parameters =
    "\1\2\3\4\5\6\14\15\17\21\22\26\27\34\50\51\52\53\62\63\66\72\73\74\102\103\141\200\201\202\203\204\205\206\207"sv;
constexpr auto kIpxeParameters =
    "\1\3\6\7\14\17\21\32\53\74\102\103\167\200\201\202\203\204\205\206\207\257\313"sv;

constexpr std::array kKinds{
    MachineKind{.name = "ipxe-bios",
                .flags = 0,
                .architecture = 0,
                .maximum_message_size = 1472,
                .vendor_class = "PXEClient:Arch:00000:UNDI:002001",
                .user_class = "iPXE",
                .parameter_list = kIpxeParameters,
                .file = "",
                .has_client_identifier = true,
                .has_uuid = true,
                .has_checksum = true,
                .discover_wait_ms = 1000,
                .request_wait_ms = 250,
                .longest_wait_ms = 10'000,
                .tries = 8},
    MachineKind{.name = "ipxe-efi",
                .flags = 0,
                .architecture = 7,
                .maximum_message_size = 1472,
                .vendor_class = "PXEClient:Arch:00007:UNDI:003010",
                .user_class = "iPXE",
                .parameter_list = kIpxeParameters,
                .file = "",
                .has_client_identifier = true,
                .has_uuid = true,
                .has_checksum = true,
                .discover_wait_ms = 1000,
                .request_wait_ms = 250,
                .longest_wait_ms = 10'000,
                .tries = 8},
    MachineKind{.name = "edk2",
                .flags = wire::kBroadcastFlag,
                .architecture = 7,
                .maximum_message_size = 1472,
                .vendor_class = "PXEClient:Arch:00007:UNDI:003000",
                .user_class = "",
                .parameter_list = kEdk2Parameters,
                .file = "",
                .has_client_identifier = false,
                .has_uuid = true,
                .has_checksum = true,
                .discover_wait_ms = 4000,
                .request_wait_ms = 4000,
                .longest_wait_ms = 32'000,
                .tries = 4},
    MachineKind{.name = "edk2-http",
                .flags = wire::kBroadcastFlag,
                .architecture = 16,
                .maximum_message_size = 1472,
                .vendor_class = "HTTPClient:Arch:00016:UNDI:003000",
                .user_class = "",
                .parameter_list = kEdk2Parameters,
                .file = "",
                .has_client_identifier = false,
                .has_uuid = true,
                .has_checksum = true,
                .discover_wait_ms = 4000,
                .request_wait_ms = 4000,
                .longest_wait_ms = 32'000,
                .tries = 4},
    MachineKind{.name = "uboot",
                .flags = 0,
                .architecture = 22,
                .maximum_message_size = 576,
                .vendor_class = "U-Boot.armv8",
                .user_class = "",
                .parameter_list = "\1\3\6\14\21"sv,
                .file = "boot.scr.uimg",
                .has_client_identifier = false,
                .has_uuid = false,
                .has_checksum = false,
                .discover_wait_ms = 250,
                .request_wait_ms = 250,
                .longest_wait_ms = 2000,
                .tries = 10},
    MachineKind{.name = "udhcpc",
                .flags = 0,
                .architecture = MachineKind::kNoArchitecture,
                .maximum_message_size = 576,
                .vendor_class = "udhcp 1.35.0",
                .user_class = "",
                .parameter_list = "\1\3\6\14\17\34\52"sv,
                .file = "",
                .has_client_identifier = true,
                .has_uuid = false,
                .has_checksum = true,
                .discover_wait_ms = 3000,
                .request_wait_ms = 3000,
                .longest_wait_ms = 3000,
                .tries = 3},
};

}  // namespace

std::span<const MachineKind> machine_kinds() noexcept {
    return kKinds;
}

Result<const MachineKind*> find_machine_kind(std::string_view name) {
    std::string names;
    for (const auto& kind : kKinds) {
        if (kind.name == name) return &kind;
        names += (names.empty() ? "" : ", ") + std::string(kind.name);
    }
    return fail("there is no machine of kind '" + std::string(name) + "'; there are: " + names);
}

}  // namespace rouse::load
