#pragma once
// For how long an appliance that follows another one may give addresses without news of it: a record of table
// `switches`, key kDataplaneTenure. None: for good.

#include "shared/store/records.hpp"

namespace rouse::store {

struct TenureRecord {
    std::uint16_t version = kRecordVersion;
    std::uint8_t reserved[6]{};
    std::uint64_t until_unix = 0;

    [[nodiscard]] bool is_valid() const noexcept { return version == kRecordVersion; }
};
inline constexpr std::string_view kDataplaneTenure = "tenure";

}  // namespace rouse::store
