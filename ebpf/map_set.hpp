#pragma once
// A BPF hash map that is used as a set: made equal to a sorted list by as few changes as that takes.

#include "shared/result.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
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
    explicit MapSet(int map) noexcept : map_(map) {}

    // Puts WANTED (ascending, each once) into the map and takes the rest out: what goes first, to make room.
    // What finds no room is left out and counted by missing(); the next call tries it again. After an error
    // the set still knows what is in the map.
    Result<void> assign(const std::vector<Key>& wanted) {
        missing_ = 0;
        const auto gone = difference(present_, wanted);
        const auto removed = detail::remove_from_map(map_, gone.data(), gone.size(), sizeof(Key));
        present_ = difference(present_, first(gone, removed.done));
        if (removed.error != 0) return fail_errno("cannot take from the allow-list", removed.error);

        const auto fresh = difference(wanted, present_);
        const auto added = detail::add_to_map(map_, fresh.data(), fresh.size(), sizeof(Key));
        present_ = merged(present_, first(fresh, added.done));
        if (added.error == E2BIG)
            missing_ = fresh.size() - added.done;
        else if (added.error != 0)
            return fail_errno("cannot add to the allow-list", added.error);
        return {};
    }
    [[nodiscard]] std::size_t size() const noexcept { return present_.size(); }
    [[nodiscard]] std::size_t missing() const noexcept { return missing_; }

  private:
    using Keys = std::vector<Key>;

    static Keys difference(const Keys& a, const Keys& b) {
        Keys out;
        std::ranges::set_difference(a, b, std::back_inserter(out));
        return out;
    }
    static Keys merged(const Keys& a, const Keys& b) {
        if (b.empty()) return a;
        Keys out;
        out.reserve(a.size() + b.size());
        std::ranges::merge(a, b, std::back_inserter(out));
        return out;
    }
    static Keys first(Keys keys, std::size_t count) {
        keys.resize(count);
        return keys;
    }

    int map_;
    Keys present_;  // what is in the map, ascending
    std::size_t missing_ = 0;
};

}  // namespace rouse::ebpf
