#include "perf/load/machine_kind.hpp"

#include <string>

namespace rouse::load {
namespace {

using namespace std::string_view_literals;
using Gap = TftpManner::Gap;

// Firmware and loaders: how they lease. A loader that runs on firmware's network stack leases as that does.

constexpr DhcpManner ipxe(std::uint16_t architecture, std::string_view vendor_class) {
    return {
        .architecture = architecture,
        .vendor_class = vendor_class,
        .user_class = "iPXE",
        .parameter_list = "\1\3\6\7\14\17\21\32\53\74\102\103\167\200\201\202\203\204\205\206\207\257\313"sv,
        .has_client_identifier = true,
        .discover = {.first_ms = 1000, .longest_ms = 10'000, .tries = 8},
        .request = {.first_ms = 250, .longest_ms = 10'000, .tries = 8}};
}
constexpr DhcpManner edk2(std::uint16_t architecture, std::string_view vendor_class) {
    constexpr Patience kPatience{.first_ms = 4000, .longest_ms = 32'000, .tries = 4};
    return {.flags = wire::kBroadcastFlag,
            .architecture = architecture,
            .vendor_class = vendor_class,
            .parameter_list =
                "\1\2\3\4\5\6\14\15\17\21\22\26\27\34\50\51\52\53\62\63\66\72\73\74\102\103"
                "\141\200\201\202\203\204\205\206\207"sv,
            .collects_ms = 3600,
            .discover = kPatience,
            .request = kPatience};
}
// A network card's own firmware; as iPXE's patience is, so is that of most.
constexpr DhcpManner kPxeRom{
    .architecture = 0,
    .vendor_class = "PXEClient:Arch:00000:UNDI:002001",
    .parameter_list = "\1\2\3\5\6\13\14\15\20\21\22\53\66\74\103\200\201\202\203\204\205\206\207"sv,
    .has_client_identifier = true,
    .discover = {.first_ms = 4000, .longest_ms = 32'000, .tries = 4},
    .request = {.first_ms = 4000, .longest_ms = 32'000, .tries = 4}};
constexpr DhcpManner kIpxeRom = ipxe(0, "PXEClient:Arch:00000:UNDI:002001");
constexpr DhcpManner kEdk2 = edk2(7, "PXEClient:Arch:00007:UNDI:003000");
constexpr Patience kUbootPatience{.first_ms = 250, .longest_ms = 2000, .tries = 10};
constexpr DhcpManner kUboot{.architecture = 22,
                            .maximum_message_size = 576,
                            .vendor_class = "U-Boot.armv8",
                            .parameter_list = "\1\3\6\14\21"sv,
                            .file = "boot.scr.uimg",
                            .has_uuid = false,
                            .discover = kUbootPatience,
                            .request = kUbootPatience};
constexpr Patience kUdhcpcPatience{.first_ms = 3000, .longest_ms = 3000, .tries = 3};
constexpr DhcpManner kUdhcpc{.maximum_message_size = 576,
                             .vendor_class = "udhcp 1.35.0",
                             .parameter_list = "\1\3\6\14\17\34\52"sv,
                             .has_client_identifier = true,
                             .has_uuid = false,
                             .discover = kUdhcpcPatience,
                             .request = kUdhcpcPatience};

// How they fetch.

constexpr TftpManner kIpxeFetch{.ask = {.block_size = std::uint16_t{1432}, .file_size = 0},
                                .gap = Gap::acknowledge_once,
                                .patience = {.first_ms = 250, .longest_ms = 10'000, .tries = 8}};
constexpr Patience kMtftpPatience{.first_ms = 4000, .longest_ms = 4000, .tries = 6};
constexpr TftpManner kEdk2Fetch{.ask = {.block_size = std::uint16_t{1468}, .window_size = std::uint16_t{4}},
                                .probes = true,
                                .first_port = 1024,
                                .gap = Gap::acknowledge_each,
                                .patience = kMtftpPatience};
constexpr TftpManner kShimFetch{.ask = {.block_size = std::uint16_t{512}, .window_size = std::uint16_t{4}},
                                .first_port = 1040,
                                .gap = Gap::acknowledge_each,
                                .search = Search::shim,
                                .patience = kMtftpPatience};
constexpr TftpManner kPxelinuxFetch{.ask = {.block_size = std::uint16_t{1408}, .file_size = 0},
                                    .first_port = 49'152,
                                    .search = Search::pxelinux,
                                    .patience = {.first_ms = 110, .longest_ms = 3500, .tries = 9}};
constexpr TftpManner kGrubFetch{.ask = {.block_size = std::uint16_t{1024}, .file_size = 0},
                                .first_port = 25'300,
                                .gap = Gap::acknowledge_each,
                                .resends_acknowledgements = false,
                                .search = Search::grub,
                                .patience = {.first_ms = 400, .longest_ms = 400, .tries = 40}};
constexpr TftpManner kUbootFetch{.ask = {.block_size = std::uint16_t{1468}, .timeout = std::uint8_t{5}},
                                 .gap = Gap::acknowledge_once,
                                 .looks_up_each = true,
                                 .patience = {.first_ms = 5000, .longest_ms = 5000, .tries = 10}};
constexpr TftpManner kWindowed{.ask = {.block_size = std::uint16_t{1428}, .window_size = std::uint16_t{16}},
                               .gap = Gap::acknowledge_once,
                               .patience = {.first_ms = 1000, .longest_ms = 8000, .tries = 8}};

constexpr TftpManner kRomFetch{.ask = {.block_size = std::uint16_t{1456}, .file_size = 0},
                               .probes = true,
                               .first_port = 2070,
                               .patience = {.first_ms = 1000, .longest_ms = 8000, .tries = 6}};

// What firmware loads, and what that loads.

constexpr MachineKind kGrubLoaded{.name = "GRUB", .dhcp = {}, .tftp = kGrubFetch, .leases = false};
constexpr MachineKind kShimLoaded{
    .name = "shim", .dhcp = {}, .tftp = kShimFetch, .leases = false, .next = &kGrubLoaded};
constexpr MachineKind kPxelinuxLoaded{
    .name = "pxelinux", .dhcp = {}, .tftp = kPxelinuxFetch, .leases = false};
constexpr MachineKind kIpxeLoaded{.name = "iPXE", .dhcp = kIpxeRom, .tftp = kIpxeFetch};

constexpr std::array kKinds{
    MachineKind{.name = "ipxe-bios", .dhcp = kIpxeRom, .tftp = kIpxeFetch},
    MachineKind{.name = "ipxe-efi", .dhcp = ipxe(7, "PXEClient:Arch:00007:UNDI:003010"), .tftp = kIpxeFetch},
    MachineKind{.name = "edk2", .dhcp = kEdk2, .tftp = kEdk2Fetch},
    MachineKind{.name = "edk2-http",
                .dhcp = edk2(16, "HTTPClient:Arch:00016:UNDI:003000"),
                .tftp = {},
                .has_tftp = false},
    MachineKind{.name = "shim", .dhcp = kEdk2, .tftp = kShimFetch},
    MachineKind{.name = "grub", .dhcp = kEdk2, .tftp = kGrubFetch},
    MachineKind{.name = "pxelinux", .dhcp = kIpxeRom, .tftp = kPxelinuxFetch},
    MachineKind{.name = "uboot", .dhcp = kUboot, .tftp = kUbootFetch, .has_checksum = false},
    MachineKind{.name = "windowed", .dhcp = kIpxeRom, .tftp = kWindowed},
    MachineKind{.name = "edk2-shim-grub", .dhcp = kEdk2, .tftp = kEdk2Fetch, .next = &kShimLoaded},
    MachineKind{.name = "rom-pxelinux", .dhcp = kPxeRom, .tftp = kRomFetch, .next = &kPxelinuxLoaded},
    MachineKind{.name = "rom-ipxe", .dhcp = kPxeRom, .tftp = kRomFetch, .next = &kIpxeLoaded},
    MachineKind{.name = "udhcpc", .dhcp = kUdhcpc, .tftp = {}, .has_tftp = false},
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
