#include "perf/load/name_search.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace rouse::load {
namespace {

constexpr unsigned kHexDigits = 8;

std::string by_identity(const std::string& prefix, unsigned step, const MacAddress& mac, Ipv4Address address,
                        const std::string& last) {
    if (step == 0) {
        std::string dashed = mac.to_string();
        std::replace(dashed.begin(), dashed.end(), ':', '-');
        return prefix + "01-" + dashed;
    }
    if (step <= kHexDigits) {
        std::array<char, kHexDigits + 1> hex{};
        std::snprintf(hex.data(), hex.size(), "%08X", address.host());
        return prefix + std::string(hex.data(), kHexDigits + 1 - step);
    }
    return step == kHexDigits + 1 ? last : "";
}

}  // namespace

std::string search_name(Search search, unsigned step, const MacAddress& mac, Ipv4Address address) {
    constexpr std::array kShim{"revocations_sku.efi", "revocations_sbat.efi", "shim_certificate_0.efi"};
    switch (search) {
        case Search::pxelinux:
            return by_identity("pxelinux.cfg/", step, mac, address, "pxelinux.cfg/default");
        case Search::grub:
            return by_identity("grub/grub.cfg-", step, mac, address, "grub/grub.cfg");
        case Search::shim:
            return step < kShim.size() ? kShim[step] : "";
        case Search::none:
            break;
    }
    return "";
}

}  // namespace rouse::load
