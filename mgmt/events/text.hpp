#pragma once
// Figures and foreign bytes as text that a person can read and a terminal can show.

#include <cstdint>
#include <string>
#include <string_view>

namespace rouse::events {

// What came off the wire, safe in JSON and on a terminal: printable ASCII stays, any other byte is \xNN.
[[nodiscard]] std::string printable(std::string_view wire);

[[nodiscard]] std::string human_bytes(std::uint64_t bytes);     // "512 bytes", "8.2 MB" (decimal units)
[[nodiscard]] std::string human_duration(std::uint64_t nanos);  // "12 ms", "1.9 s", "3 min 5 s"
[[nodiscard]] std::uint64_t bytes_per_second(std::uint64_t bytes, std::uint64_t nanos);  // of more than none
// "4.3 MB/s"; empty when NANOS is too short to tell.
[[nodiscard]] std::string human_rate(std::uint64_t bytes, std::uint64_t nanos);

// The name of a client architecture as boot profiles spell it ("x64-uefi"), else "architecture 99".
[[nodiscard]] std::string architecture_name(std::uint16_t architecture);

}  // namespace rouse::events
