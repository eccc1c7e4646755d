#pragma once
// The files that every machine of the rack fetches, in order, and what they should be.

#include "shared/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::load {

// Length and CRC-32C.
struct Content {
    std::uint64_t bytes = 0;
    std::uint32_t crc = 0;

    friend bool operator==(const Content&, const Content&) noexcept = default;
};

// Of a file of this host.
[[nodiscard]] Result<Content> read_content(const std::string& path);

struct BootFile {
    std::string name;
    std::optional<Content> content{};  // none: that of the first copy fetched

    // Whether a copy is as it should be.
    [[nodiscard]] bool matches(const Content& copy) {
        if (!content) content = copy;
        return *content == copy;
    }
};

// TEXT: `name`, or `name=path` with a file of this host that it should be equal to.
[[nodiscard]] Result<BootFile> parse_boot_file(std::string_view text);

}  // namespace rouse::load
