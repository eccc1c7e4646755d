#pragma once
// A BPF hash map that is used as a set: made equal to a sorted list by as few changes as that takes.

#include "shared/result.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

namespace rouse::ebpf {

namespace detail {

// How far a batch got, and the errno value that ended it; 0: all COUNT keys are done.
struct BatchResult {
    std::size_t done = 0;
    int error = 0;
};
// KEYS: COUNT of them, KEY_BYTES each, one behind the other. Keys that are already as wanted count as done.
[[nodiscard]] BatchResult add_to_map(int map, const void* keys, std::size_t count, std::size_t key_bytes);
[[nodiscard]] BatchResult remove_from_map(int map, const void* keys, std::size_t count,
                                          std::size_t key_bytes);

}  // namespace detail

// The only writer of a map, which is empty when the set is made. Key: laid out as the map's key, ordered. Not
// for several threads at once.
template <typename Key>
class MapSet {
    static_assert(std::has_unique_object_representations_v<Key>);

  public:
    using Keys = std::vector<Key>;

    explicit MapSet(int map) noexcept : map_(map) {}

    // Puts WANTED (ascending, each once) into the map and takes the rest out: what goes first, to make room.
    // What finds no room is left out and counted by missing(); the next call tries it again. After an error
    // the set still knows what is in the map.
    Result<void> assign(Keys wanted) {
        missing_ = 0;
        Keys gone = difference(present_, wanted);
        Keys fresh = difference(wanted, present_);
        const auto removed = detail::remove_from_map(map_, gone.data(), gone.size(), sizeof(Key));
        if (removed.error != 0) {
            gone.resize(removed.done);
            present_ = difference(present_, gone);
            return fail_errno("cannot take from the allow-list", removed.error);
        }
        const auto added = detail::add_to_map(map_, fresh.data(), fresh.size(), sizeof(Key));
        fresh.erase(fresh.begin(), fresh.begin() + static_cast<std::ptrdiff_t>(added.done));
        present_ = fresh.empty() ? std::move(wanted) : difference(wanted, fresh);
        if (added.error == E2BIG)
            missing_ = fresh.size();
        else if (added.error != 0)
            return fail_errno("cannot add to the allow-list", added.error);
        return {};
    }
    [[nodiscard]] std::size_t size() const noexcept { return present_.size(); }
    [[nodiscard]] std::size_t missing() const noexcept { return missing_; }

  private:
    static Keys difference(const Keys& a, const Keys& b) {
        Keys out;
        std::ranges::set_difference(a, b, std::back_inserter(out));
        return out;
    }

    int map_;
    Keys present_;  // what is in the map, ascending
    std::size_t missing_ = 0;
};

}  // namespace rouse::ebpf
