#pragma once
// The files that loaders ask for by their machine's own name before, or instead of, one that is for all:
// most are not there, and the miss is expected.

#include "shared/addresses.hpp"

#include <cstdint>
#include <string>

namespace rouse::load {

enum class Search : std::uint8_t {
    none,
    pxelinux,  // pxelinux.cfg/01-<hardware address>, then prefixes of the IP address in hexadecimal,
               // `default`
    grub,      // grub/grub.cfg-01-<hardware address>, likewise, grub/grub.cfg
    shim,      // revocations and certificates, each of which may be there
};

// The name that is asked for as number STEP, from 0; empty after the last.
[[nodiscard]] std::string search_name(Search search, unsigned step, const MacAddress& mac,
                                      Ipv4Address address);
// Whether a file that was found ends the search.
[[nodiscard]] constexpr bool ends_with_a_hit(Search search) noexcept {
    return search != Search::shim;
}

}  // namespace rouse::load
