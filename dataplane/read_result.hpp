#pragma once
// What became of reading a file's bytes on the packet path, where nothing waits.

#include <cstdint>

namespace rouse {

enum class ReadResult : std::uint8_t {
    done,
    later,  // the bytes are on their way: ask again in a few milliseconds
    gone,   // they cannot be had any more
};

}  // namespace rouse
