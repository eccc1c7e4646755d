#include "dataplane/port/xdp.hpp"

#include "dataplane/port/interface.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <chrono>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

namespace rouse::port {
namespace {

constexpr std::uint32_t kQueue = 0;
constexpr std::uint64_t kQueuePatienceNs = kNanosPerSecond;
// The kernel says which entries of the fill and transmit rings it took a little after their frames came back
// by the other ring (xsk_flush(), xsk_generic_xmit()): for that long a ring holds them twice, so it has room
// for each frame twice.
constexpr std::uint32_t kRingSlack = 2;

Result<void> check_usable(const Interface& interface) {
    if (!interface.is_up)
        return fail("interface " + interface.name + " is down; bring it up: `ip link set dev " +
                    interface.name + " up`");
    if (interface.receive_queues > 1)
        return fail("interface " + interface.name + " spreads its frames over " +
                    std::to_string(interface.receive_queues) +
                    " queues and one is served; join them: `ethtool -L " + interface.name +
                    (interface.queues_are_combined ? " combined 1`" : " rx 1 tx 1`"));
    return {};
}

std::string explain_socket_failure(int error) {
    switch (error) {
        case EPERM:
            return "not permitted; run as root, or grant CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and "
                   "CAP_IPC_LOCK";
        case ENOBUFS:
            return "its memory is more than RLIMIT_MEMLOCK allows to pin; grant CAP_IPC_LOCK or raise the "
                   "limit";
        case EAFNOSUPPORT:
            return "this kernel has no AF_XDP sockets (CONFIG_XDP_SOCKETS)";
        case EBUSY:
            return "another program has a socket on this queue; stop it";
        default:
            return std::strerror(error);
    }
}

// Anonymous memory that is present from the start: a first touch must not fault in the worker.
class Memory {
  public:
    explicit Memory(std::size_t size)
        : size_(size),
          start_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
                        0)) {}
    ~Memory() {
        if (is_mapped()) ::munmap(start_, size_);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    [[nodiscard]] bool is_mapped() const noexcept { return start_ != MAP_FAILED; }
    [[nodiscard]] std::byte* start() const noexcept { return static_cast<std::byte*>(start_); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::size_t size_;
    void* start_;
};

}  // namespace

// libxdp keeps the rings' addresses, so all this lives in one place on the heap.
struct XdpPort::Device {
    Interface interface;
    ebpf::XdpProgram program;
    XdpOptions options;
    Memory memory;  // receive frames, then transmit frames; a frame's handle is its offset in here
    xsk_umem* umem = nullptr;
    xsk_socket* socket = nullptr;
    int membership = -1;  // packet socket that holds the groups joined
    xsk_ring_prod fill{};
    xsk_ring_cons completion{};
    xsk_ring_cons received{};
    xsk_ring_prod transmit{};
    std::vector<std::uint32_t> free_transmit;  // a stack, so that the frame used last, warm in cache, is next
    std::uint64_t kicks_unfinished = 0;
    bool is_zero_copy = false;

    Device(Interface interface_, ebpf::XdpProgram program_, const XdpOptions& options_)
        : interface(std::move(interface_)),
          program(std::move(program_)),
          options(options_),
          memory(std::size_t{kFrameBytes} * (options.receive_frames + options.transmit_frames)),
          free_transmit(options.transmit_frames) {
        std::iota(free_transmit.rbegin(), free_transmit.rend(), options.receive_frames);
    }
    ~Device() {
        if (membership >= 0) ::close(membership);
        xsk_socket__delete(socket);
        xsk_umem__delete(umem);
    }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] int fd() const noexcept { return xsk_socket__fd(socket); }
    [[nodiscard]] Result<void> register_memory();
    [[nodiscard]] Result<void> open_socket();
    void fill_all();
    void reap() noexcept;
};

Result<void> XdpPort::Device::register_memory() {
    if (!memory.is_mapped()) return fail_errno("cannot allocate memory for the frames of " + interface.name);
    xsk_umem_config config{};
    config.fill_size = kRingSlack * std::bit_ceil(options.receive_frames);
    config.comp_size = std::bit_ceil(options.transmit_frames);
    config.frame_size = kFrameBytes;
    const int error = xsk_umem__create(&umem, memory.start(), memory.size(), &fill, &completion, &config);
    if (error != 0)
        return fail("cannot register memory for the AF_XDP socket of " + interface.name + ": " +
                    explain_socket_failure(-error));
    return {};
}

Result<void> XdpPort::Device::open_socket() {
    xsk_socket_config config{};
    config.rx_size = std::bit_ceil(options.receive_frames);
    config.tx_size = kRingSlack * std::bit_ceil(options.transmit_frames);
    config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
    config.bind_flags = XDP_USE_NEED_WAKEUP;
    // In native mode the kernel takes zero-copy if the driver can; generic frames are always copied.
    if (program.mode() == ebpf::XdpMode::generic) config.bind_flags |= XDP_COPY;
    // The kernel takes the socket of a process that just ended off its queue a little after the process is
    // gone.
    int error = 0;
    const std::uint64_t deadline = monotonic_ns() + kQueuePatienceNs;
    do {
        error =
            xsk_socket__create(&socket, interface.name.c_str(), kQueue, umem, &received, &transmit, &config);
        if (error == -EBUSY) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (error == -EBUSY && monotonic_ns() < deadline);
    if (error != 0)
        return fail("cannot open an AF_XDP socket on " + interface.name + ": " +
                    explain_socket_failure(-error));

    xdp_options granted{};
    socklen_t size = sizeof granted;
    if (::getsockopt(fd(), SOL_XDP, XDP_OPTIONS, &granted, &size) == 0)
        is_zero_copy = (granted.flags & XDP_OPTIONS_ZEROCOPY) != 0;
    // In copy mode a frame on its way out is charged to the socket; the default would stop at about 90.
    const int send_buffer = static_cast<int>(options.transmit_frames * 2 * kFrameBytes);
    ::setsockopt(fd(), SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer);
    return {};
}

void XdpPort::Device::fill_all() {
    std::uint32_t at = 0;
    xsk_ring_prod__reserve(&fill, options.receive_frames, &at);
    for (std::uint32_t i = 0; i < options.receive_frames; ++i)
        *xsk_ring_prod__fill_addr(&fill, at + i) = std::uint64_t{i} * kFrameBytes;
    xsk_ring_prod__submit(&fill, options.receive_frames);
}

void XdpPort::Device::reap() noexcept {
    std::uint32_t at = 0;
    const std::uint32_t n = xsk_ring_cons__peek(&completion, options.transmit_frames, &at);
    for (std::uint32_t i = 0; i < n; ++i)
        free_transmit.push_back(
            static_cast<std::uint32_t>(*xsk_ring_cons__comp_addr(&completion, at + i) / kFrameBytes));
    if (n > 0) xsk_ring_cons__release(&completion, n);
}

Result<XdpPort> XdpPort::open(const std::string& name, const XdpOptions& options) {
    auto interface = query_interface(name);
    if (!interface) return tl::unexpected(interface.error());
    if (auto usable = check_usable(*interface); !usable) return tl::unexpected(usable.error());
    auto program = ebpf::XdpProgram::attach(name, options.mode, options.allow_list_size);
    if (!program) return tl::unexpected(program.error());

    auto device = std::make_unique<Device>(std::move(*interface), std::move(*program), options);
    if (auto done = device->register_memory(); !done) return tl::unexpected(done.error());
    if (auto done = device->open_socket(); !done) return tl::unexpected(done.error());
    device->fill_all();
    // Last: from here on frames come in.
    const int error = xsk_socket__update_xskmap(device->socket, device->program.sockets_map_fd());
    if (error != 0) return fail_errno("cannot steer frames of " + name + " to its socket", -error);
    return XdpPort(std::move(device));
}

XdpPort::XdpPort(std::unique_ptr<Device> device) noexcept : device_(std::move(device)) {}
XdpPort::XdpPort(XdpPort&&) noexcept = default;
XdpPort& XdpPort::operator=(XdpPort&&) noexcept = default;
XdpPort::~XdpPort() = default;

Result<void> XdpPort::join(std::span<const MacAddress> groups) {
    const std::string& name = device_->interface.name;
    // A packet socket that receives nothing (protocol 0) holds the memberships.
    if (device_->membership < 0) device_->membership = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (device_->membership < 0) return fail_errno("cannot open a packet socket for the groups of " + name);
    for (const MacAddress& group : groups) {
        packet_mreq request{};
        request.mr_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
        request.mr_type = PACKET_MR_MULTICAST;
        request.mr_alen = sizeof group;
        std::copy(group.octets.begin(), group.octets.end(), request.mr_address);
        if (::setsockopt(device_->membership, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) !=
            0)
            return fail_errno("cannot join the Ethernet group " + group.to_string() + " on " + name);
    }
    return {};
}

std::size_t XdpPort::receive(std::span<Frame> frames) noexcept {
    Device& d = *device_;
    std::uint32_t at = 0;
    const std::uint32_t n = xsk_ring_cons__peek(&d.received, static_cast<std::uint32_t>(frames.size()), &at);
    for (std::uint32_t i = 0; i < n; ++i) {
        const xdp_desc* descriptor = xsk_ring_cons__rx_desc(&d.received, at + i);
        const auto capacity = static_cast<std::uint32_t>(kFrameBytes - descriptor->addr % kFrameBytes);
        frames[i] = {d.memory.start() + descriptor->addr, std::min(descriptor->len, capacity), capacity,
                     descriptor->addr};
    }
    if (n > 0) xsk_ring_cons__release(&d.received, n);
    return n;
}

void XdpPort::release(std::span<const Frame> frames) noexcept {
    Device& d = *device_;
    const auto n = static_cast<std::uint32_t>(frames.size());
    std::uint32_t at = 0;
    [[maybe_unused]] const std::uint32_t reserved = xsk_ring_prod__reserve(&d.fill, n, &at);
    assert(reserved == n && "more frames given back than there are");
    // The kernel ignores where in its frame an address points.
    for (std::uint32_t i = 0; i < n; ++i) *xsk_ring_prod__fill_addr(&d.fill, at + i) = frames[i].handle;
    xsk_ring_prod__submit(&d.fill, n);
}

std::size_t XdpPort::allocate(std::span<Frame> frames) noexcept {
    Device& d = *device_;
    d.reap();
    const std::size_t n = std::min(frames.size(), d.free_transmit.size());
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t offset = std::uint64_t{d.free_transmit.back()} * kFrameBytes;
        d.free_transmit.pop_back();
        frames[i] = {d.memory.start() + offset, 0, kFrameBytes, offset};
    }
    return n;
}

std::size_t XdpPort::send(std::span<const Frame> frames) noexcept {
    Device& d = *device_;
    std::uint32_t sent = 0;
    for (const Frame& frame : frames) {
        assert(frame.length <= frame.capacity);
        std::uint32_t at = 0;
        if (frame.length == 0 || xsk_ring_prod__reserve(&d.transmit, 1, &at) == 0) {
            d.free_transmit.push_back(static_cast<std::uint32_t>(frame.handle / kFrameBytes));
            continue;
        }
        *xsk_ring_prod__tx_desc(&d.transmit, at) = {frame.handle, frame.length, 0};
        ++sent;
    }
    if (sent > 0) xsk_ring_prod__submit(&d.transmit, sent);
    return sent;
}

void XdpPort::flush() noexcept {
    Device& d = *device_;
    const bool transmit_waits =
        __atomic_load_n(d.transmit.consumer, __ATOMIC_ACQUIRE) != d.transmit.cached_prod;
    // Copy mode transmits inside this very call; zero-copy only when the driver went to sleep.
    if (transmit_waits && (!d.is_zero_copy || xsk_ring_prod__needs_wakeup(&d.transmit) != 0)) {
        // EAGAIN (the kernel's budget of a call is spent), EBUSY, ENOBUFS, ENETDOWN: what waits stays in the
        // ring.
        if (::sendto(d.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0) ++d.kicks_unfinished;
    }
    if (xsk_ring_prod__needs_wakeup(&d.fill) != 0)
        ::recvfrom(d.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

void XdpPort::wait(std::uint64_t nanoseconds) noexcept {
    pollfd event{.fd = device_->fd(), .events = POLLIN, .revents = 0};
    const timespec limit{.tv_sec = static_cast<time_t>(nanoseconds / kNanosPerSecond),
                         .tv_nsec = static_cast<long>(nanoseconds % kNanosPerSecond)};
    ::ppoll(&event, 1, &limit, nullptr);
}

const std::string& XdpPort::interface_name() const noexcept {
    return device_->interface.name;
}

MacAddress XdpPort::hardware_address() const noexcept {
    return device_->interface.hardware_address;
}

std::uint32_t XdpPort::mtu() const noexcept {
    return std::min(device_->interface.mtu, kMaxMtu);
}

DeviceStatistics XdpPort::statistics() const noexcept {
    DeviceStatistics statistics{.kicks_unfinished = device_->kicks_unfinished};
    xdp_statistics kernel{};
    socklen_t size = sizeof kernel;
    if (::getsockopt(device_->fd(), SOL_XDP, XDP_STATISTICS, &kernel, &size) == 0) {
        statistics.receive_dropped = kernel.rx_dropped + kernel.rx_invalid_descs + kernel.rx_ring_full;
        statistics.transmit_dropped = kernel.tx_invalid_descs;
    }
    return statistics;
}

std::string XdpPort::describe() const {
    const Device& d = *device_;
    std::string text = "xdp:" + d.interface.name + ", " + to_string(d.program.mode()) + " mode, " +
                       (d.is_zero_copy ? "zero-copy" : "copy");
    if (!d.program.native_refusal().empty()) text += "; no native mode: " + d.program.native_refusal();
    if (!d.options.remark.empty()) text += "; " + d.options.remark;
    return text;
}

const ebpf::XdpProgram& XdpPort::program() const noexcept {
    return device_->program;
}

}  // namespace rouse::port
