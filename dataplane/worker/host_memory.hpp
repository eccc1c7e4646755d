#pragma once
// What a worker remembers of the store's hosts. A machine asks several times while it boots, and its record
// seldom changes; a walk through the store's tree to a record that no cache holds takes longer than all the
// rest of an answer.

#include "shared/store/records.hpp"

#include <cstdint>
#include <memory>

namespace rouse::worker {

// A direct-mapped table: whoever comes last has the place. One thread; no allocation after construction.
class HostMemory {
  public:
    // Null unless MAC's record was remembered in GENERATION. Valid until the next remember().
    [[nodiscard]] const store::HostRecord* find(const MacAddress& mac,
                                                std::uint64_t generation) const noexcept {
        const Place& place = places_[index_of(mac)];
        return place.generation == generation && place.mac == mac ? &place.record : nullptr;
    }
    // GENERATION: which state of all hosts this is from; not 0.
    void remember(const MacAddress& mac, std::uint64_t generation, const store::HostRecord& record) noexcept {
        places_[index_of(mac)] = {generation, mac, record};
    }

  private:
    struct Place {
        std::uint64_t generation = 0;  // 0: empty
        MacAddress mac{};
        store::HostRecord record{};
    };
    static constexpr unsigned kIndexBits = 18;  // 42 MiB: the rack of 100 000 machines finds room
    static constexpr std::size_t kPlaces = std::size_t{1} << kIndexBits;

    [[nodiscard]] static std::size_t index_of(const MacAddress& mac) noexcept {
        return std::hash<MacAddress>{}(mac) >> (64 - kIndexBits);  // multiplicative: the high bits are mixed
    }
    struct Free {
        void operator()(Place* places) const noexcept;
    };
    static std::unique_ptr<Place[], Free> allocate();

    std::unique_ptr<Place[], Free> places_ = allocate();
};

}  // namespace rouse::worker
