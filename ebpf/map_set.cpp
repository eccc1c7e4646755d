#include "ebpf/map_set.hpp"

#include <array>

#include <bpf/bpf.h>

namespace rouse::ebpf::detail {
namespace {

constexpr std::size_t kBatch = 4096;  // keys per system call

// BATCH(keys, count) is one system call: it updates count to how many keys it finished, and returns 0 or a
// negative errno value. SKIP: the error of a key that needs nothing done.
template <typename Batch>
BatchResult in_batches(const void* keys, std::size_t count, std::size_t key_bytes, int skip, Batch&& batch) {
    BatchResult result;
    while (result.done < count) {
        const auto asked = static_cast<std::uint32_t>(std::min(count - result.done, kBatch));
        std::uint32_t n = asked;
        const int code = batch(static_cast<const std::byte*>(keys) + result.done * key_bytes, n);
        // A call that fails before its first key leaves the count as it was.
        if (code == 0 || n < asked) result.done += n;
        if (code == 0) continue;
        if (-code != skip) {
            result.error = -code;
            return result;
        }
        ++result.done;
    }
    return result;
}

}  // namespace

BatchResult add_to_map(int map, const void* keys, std::size_t count, std::size_t key_bytes) {
    constexpr int kNone = 0;
    static constexpr std::array<std::uint8_t, kBatch> kValues{};
    return in_batches(keys, count, key_bytes, kNone, [map](const std::byte* at, std::uint32_t& n) {
        return bpf_map_update_batch(map, at, kValues.data(), &n, nullptr);
    });
}

BatchResult remove_from_map(int map, const void* keys, std::size_t count, std::size_t key_bytes) {
    return in_batches(keys, count, key_bytes, ENOENT, [map](const std::byte* at, std::uint32_t& n) {
        return bpf_map_delete_batch(map, at, &n, nullptr);
    });
}

}  // namespace rouse::ebpf::detail
