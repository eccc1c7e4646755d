#pragma once
// DISCOVERs and SOLICITs of machines that have no lease yet: kept, one of each per machine, until the
// management plane has committed one, then handled as if they had just come. The client sees one OFFER, a few
// milliseconds late.

#include "dataplane/port/port.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace rouse::worker {

class Parking {
  public:
    static constexpr std::size_t kPlaces = 4096;  // machines; 6 MiB
    // Before the client's own second try, which would find the lease: EDK2 waits 4 s, iPXE 1 s, and then
    // sends again.
    static constexpr std::uint64_t kPatienceNs = 3 * kNanosPerSecond;

    Parking() : places_(kPlaces) {}

    enum class Family : std::uint8_t { ipv4, ipv6 };
    enum class Arrival { parked, again, full };
    // `again`: the machine waits already, and this is its newest message.
    Arrival park(const MacAddress& mac, Family family, std::span<const std::byte> frame,
                 std::uint64_t now_ns) noexcept {
        const auto end = places_.begin() + static_cast<std::ptrdiff_t>(count_);
        const auto found = std::find_if(places_.begin(), end, [&](const Place& place) {
            return place.mac == mac && place.family == family;
        });
        if (found == end && count_ == places_.size()) return Arrival::full;
        const bool again = found != end;
        if (!again) {
            ++count_;
            found->mac = mac;
            found->family = family;
            found->until_ns = now_ns + kPatienceNs;
        }
        found->length = std::min(frame.size(), found->frame.size());
        std::memcpy(found->frame.data(), frame.data(), found->length);
        return again ? Arrival::again : Arrival::parked;
    }

    // Offers every frame to HANDLE(family, frame) -> bool; those it took, and those that waited too long,
    // leave. Returns how many waited too long.
    template <typename Handle>
    std::size_t replay(std::uint64_t now_ns, Handle&& handle) noexcept {
        std::size_t late = 0;
        for (std::size_t i = 0; i < count_;) {
            Place& place = places_[i];
            const bool taken =
                handle(place.family, std::span<const std::byte>(place.frame.data(), place.length));
            const bool over = !taken && now_ns >= place.until_ns;
            late += over ? 1 : 0;
            if (taken || over)
                place = places_[--count_];
            else
                ++i;
        }
        return late;
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

  private:
    struct Place {
        MacAddress mac;
        Family family{};
        std::uint64_t until_ns = 0;
        std::size_t length = 0;
        std::array<std::byte, port::kMaxFrameBytes> frame;
    };
    std::vector<Place> places_;
    std::size_t count_ = 0;
};

}  // namespace rouse::worker
