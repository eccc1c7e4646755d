#pragma once
// Families of machines that are known to need a quirk, told by hardware address or vendor class.

#include "dataplane/dhcp/message.hpp"
#include "shared/quirk.hpp"

namespace rouse::dhcp {

[[nodiscard]] Quirks known_quirks(const Message& message) noexcept;

}  // namespace rouse::dhcp
