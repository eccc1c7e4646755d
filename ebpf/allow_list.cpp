#include "ebpf/allow_list.hpp"

#include "shared/clock.hpp"

#include <algorithm>

namespace rouse::ebpf {
namespace {

// The program reads while we write: each field whole, and none is wrong beside another's old value.
template <typename T>
void put(T& field, T value) noexcept {
    __atomic_store_n(&field, value, __ATOMIC_RELAXED);
}

void put_size(xdp_filter_bucket_size& to, const BucketSize& size) noexcept {
    if (size.burst == 0 || size.per_second <= 0) {
        put(to.token_ns, __u64{1});
        put(to.depth_ns, __u64{0});
        return;
    }
    // An empty bucket that takes 146 years to fill is as good as slower ones, and its times fit 64 bits.
    constexpr double kLongest = 0x1p62;
    const double token =
        std::clamp(static_cast<double>(kNanosPerSecond) / size.per_second, 1.0, kLongest / size.burst);
    const auto token_ns = static_cast<__u64>(token);
    put(to.token_ns, token_ns);
    put(to.depth_ns, token_ns * size.burst);
}

}  // namespace

void AllowList::enforce(bool on) noexcept {
    put(settings_->allow_list, static_cast<__u8>(on));
}

void AllowList::set_limits(const StrangerLimits& limits) noexcept {
    put_size(settings_->one_stranger, limits.each);
    put_size(settings_->all_strangers, limits.all);
}

void AllowList::steer(const Extras& extras) noexcept {
    for (std::size_t i = 0; i < extras.own_address.octets.size(); ++i)
        put(settings_->own_address[i], __u8{extras.own_address.octets[i]});
    put(settings_->tftp_first, __u16{extras.tftp_ports.first});
    put(settings_->tftp_count, __u16{extras.tftp_ports.count});
#define X(name, help) put(settings_->name, static_cast<__u8>(extras.name));
    XDP_FILTER_EXTRAS(X)
#undef X
}

}  // namespace rouse::ebpf
