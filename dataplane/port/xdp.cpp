#include "dataplane/port/xdp.hpp"

#include "shared/clock.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <chrono>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

namespace rouse::port {
namespace {

constexpr std::uint64_t kQueuePatienceNs = kNanosPerSecond;
// The kernel says which entries of the fill and transmit rings it took a little after their frames came back
// by the other ring (xsk_flush(), xsk_generic_xmit()): for that long a ring holds them twice, so it has room
// for each frame twice.
constexpr std::uint32_t kRingSlack = 2;

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
struct XdpPort::Socket {
    std::string interface;
    std::uint32_t queue;
    MacAddress hardware_address;
    std::uint32_t mtu;
    XdpOptions options;
    Memory memory;  // receive frames, then transmit frames; a frame's handle is its offset in here
    xsk_umem* umem = nullptr;
    xsk_socket* socket = nullptr;
    xsk_ring_prod fill{};
    xsk_ring_cons completion{};
    xsk_ring_cons received{};
    xsk_ring_prod transmit{};
    std::vector<std::uint32_t> free_transmit;  // a stack, so that the frame used last, warm in cache, is next
    std::uint64_t kicks_unfinished = 0;
    bool is_zero_copy = false;

    Socket(const Interface& of, std::uint32_t queue_, const XdpOptions& options_)
        : interface(of.name),
          queue(queue_),
          hardware_address(of.hardware_address),
          mtu(std::min(of.mtu, kMaxMtu)),
          options(options_),
          memory(std::size_t{kFrameBytes} * (options.receive_frames + options.transmit_frames)),
          free_transmit(options.transmit_frames) {
        std::iota(free_transmit.rbegin(), free_transmit.rend(), options.receive_frames);
    }
    ~Socket() {
        xsk_socket__delete(socket);
        xsk_umem__delete(umem);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    [[nodiscard]] int fd() const noexcept { return xsk_socket__fd(socket); }
    [[nodiscard]] std::string name() const { return interface + ", queue " + std::to_string(queue); }
    [[nodiscard]] Result<void> register_memory();
    [[nodiscard]] Result<void> bind(ebpf::XdpMode mode);
    void fill_all();
    void reap() noexcept;
    // The kernel has yet to take something from the transmit ring.
    [[nodiscard]] bool has_unsent() const noexcept {
        return __atomic_load_n(transmit.consumer, __ATOMIC_ACQUIRE) != transmit.cached_prod;
    }
};

Result<void> XdpPort::Socket::register_memory() {
    if (!memory.is_mapped()) return fail_errno("cannot allocate memory for the frames of " + name());
    xsk_umem_config config{};
    config.fill_size = kRingSlack * std::bit_ceil(options.receive_frames);
    config.comp_size = std::bit_ceil(options.transmit_frames);
    config.frame_size = kFrameBytes;
    const int error = xsk_umem__create(&umem, memory.start(), memory.size(), &fill, &completion, &config);
    if (error != 0)
        return fail("cannot register memory for the AF_XDP socket of " + name() + ": " +
                    explain_socket_failure(-error));
    return {};
}

Result<void> XdpPort::Socket::bind(ebpf::XdpMode mode) {
    xsk_socket_config config{};
    config.rx_size = std::bit_ceil(options.receive_frames);
    config.tx_size = kRingSlack * std::bit_ceil(options.transmit_frames);
    config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
    config.bind_flags = XDP_USE_NEED_WAKEUP;
    // In native mode the kernel takes zero-copy if the driver can; generic frames are always copied.
    if (mode == ebpf::XdpMode::generic) config.bind_flags |= XDP_COPY;
    // The kernel takes the socket of a process that just ended off its queue a little after the process is
    // gone.
    int error = 0;
    const std::uint64_t deadline = monotonic_ns() + kQueuePatienceNs;
    do {
        error = xsk_socket__create(&socket, interface.c_str(), queue, umem, &received, &transmit, &config);
        if (error == -EBUSY) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (error == -EBUSY && monotonic_ns() < deadline);
    if (error != 0)
        return fail("cannot open an AF_XDP socket on " + name() + ": " + explain_socket_failure(-error));

    xdp_options granted{};
    socklen_t size = sizeof granted;
    if (::getsockopt(fd(), SOL_XDP, XDP_OPTIONS, &granted, &size) == 0)
        is_zero_copy = (granted.flags & XDP_OPTIONS_ZEROCOPY) != 0;
    // In copy mode a frame on its way out is charged to the socket; the default would stop at about 90.
    const int send_buffer = static_cast<int>(options.transmit_frames * 2 * kFrameBytes);
    ::setsockopt(fd(), SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer);
    return {};
}

void XdpPort::Socket::fill_all() {
    std::uint32_t at = 0;
    xsk_ring_prod__reserve(&fill, options.receive_frames, &at);
    for (std::uint32_t i = 0; i < options.receive_frames; ++i)
        *xsk_ring_prod__fill_addr(&fill, at + i) = std::uint64_t{i} * kFrameBytes;
    xsk_ring_prod__submit(&fill, options.receive_frames);
}

void XdpPort::Socket::reap() noexcept {
    std::uint32_t at = 0;
    const std::uint32_t n = xsk_ring_cons__peek(&completion, options.transmit_frames, &at);
    for (std::uint32_t i = 0; i < n; ++i)
        free_transmit.push_back(
            static_cast<std::uint32_t>(*xsk_ring_cons__comp_addr(&completion, at + i) / kFrameBytes));
    if (n > 0) xsk_ring_cons__release(&completion, n);
}

Result<XdpPort> XdpPort::open(const Interface& interface, std::uint32_t queue,
                              const ebpf::XdpProgram& program, const XdpOptions& options) {
    auto socket = std::make_unique<Socket>(interface, queue, options);
    if (auto done = socket->register_memory(); !done) return tl::unexpected(done.error());
    if (auto done = socket->bind(program.mode()); !done) return tl::unexpected(done.error());
    socket->fill_all();
    // Last: from here on frames come in.
    const int fd = socket->fd();
    if (bpf_map_update_elem(program.sockets_map_fd(), &queue, &fd, BPF_ANY) != 0)
        return fail_errno("cannot steer the frames of " + socket->name() + " to its socket");
    return XdpPort(std::move(socket));
}

XdpPort::XdpPort(std::unique_ptr<Socket> socket) noexcept : socket_(std::move(socket)) {}
XdpPort::XdpPort(XdpPort&&) noexcept = default;
XdpPort& XdpPort::operator=(XdpPort&&) noexcept = default;
XdpPort::~XdpPort() = default;

std::size_t XdpPort::receive(std::span<Frame> frames) noexcept {
    Socket& s = *socket_;
    std::uint32_t at = 0;
    const std::uint32_t n = xsk_ring_cons__peek(&s.received, static_cast<std::uint32_t>(frames.size()), &at);
    for (std::uint32_t i = 0; i < n; ++i) {
        const xdp_desc* descriptor = xsk_ring_cons__rx_desc(&s.received, at + i);
        const auto capacity = static_cast<std::uint32_t>(kFrameBytes - descriptor->addr % kFrameBytes);
        frames[i] = {s.memory.start() + descriptor->addr, std::min(descriptor->len, capacity), capacity,
                     descriptor->addr};
    }
    if (n > 0) xsk_ring_cons__release(&s.received, n);
    return n;
}

void XdpPort::release(std::span<const Frame> frames) noexcept {
    Socket& s = *socket_;
    const auto n = static_cast<std::uint32_t>(frames.size());
    std::uint32_t at = 0;
    [[maybe_unused]] const std::uint32_t reserved = xsk_ring_prod__reserve(&s.fill, n, &at);
    assert(reserved == n && "more frames given back than there are");
    // The kernel ignores where in its frame an address points.
    for (std::uint32_t i = 0; i < n; ++i) *xsk_ring_prod__fill_addr(&s.fill, at + i) = frames[i].handle;
    xsk_ring_prod__submit(&s.fill, n);
}

std::size_t XdpPort::allocate(std::span<Frame> frames) noexcept {
    Socket& s = *socket_;
    s.reap();
    const std::size_t n = std::min(frames.size(), s.free_transmit.size());
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t offset = std::uint64_t{s.free_transmit.back()} * kFrameBytes;
        s.free_transmit.pop_back();
        frames[i] = {s.memory.start() + offset, 0, kFrameBytes, offset};
    }
    return n;
}

std::size_t XdpPort::send(std::span<const Frame> frames) noexcept {
    Socket& s = *socket_;
    std::uint32_t sent = 0;
    for (const Frame& frame : frames) {
        assert(frame.length <= frame.capacity);
        std::uint32_t at = 0;
        if (frame.length == 0 || xsk_ring_prod__reserve(&s.transmit, 1, &at) == 0) {
            s.free_transmit.push_back(static_cast<std::uint32_t>(frame.handle / kFrameBytes));
            continue;
        }
        *xsk_ring_prod__tx_desc(&s.transmit, at) = {frame.handle, frame.length, 0};
        ++sent;
    }
    if (sent > 0) xsk_ring_prod__submit(&s.transmit, sent);
    return sent;
}

void XdpPort::flush() noexcept {
    Socket& s = *socket_;
    // Copy mode transmits inside this very call; zero-copy only when the driver went to sleep.
    if (s.has_unsent() && (!s.is_zero_copy || xsk_ring_prod__needs_wakeup(&s.transmit) != 0)) {
        // EAGAIN (the kernel's budget of a call is spent), EBUSY, ENOBUFS, ENETDOWN: what waits stays in the
        // ring.
        if (::sendto(s.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0) ++s.kicks_unfinished;
    }
    if (xsk_ring_prod__needs_wakeup(&s.fill) != 0)
        ::recvfrom(s.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

void XdpPort::wait(std::uint64_t nanoseconds, int wake_fd) noexcept {
    if (socket_->has_unsent()) return;  // the next kick takes it on
    // poll(2) passes over a descriptor below 0.
    std::array<pollfd, 2> events{{{.fd = socket_->fd(), .events = POLLIN, .revents = 0},
                                  {.fd = wake_fd, .events = POLLIN, .revents = 0}}};
    const timespec limit{.tv_sec = static_cast<time_t>(nanoseconds / kNanosPerSecond),
                         .tv_nsec = static_cast<long>(nanoseconds % kNanosPerSecond)};
    ::ppoll(events.data(), events.size(), &limit, nullptr);
}

MacAddress XdpPort::hardware_address() const noexcept {
    return socket_->hardware_address;
}

std::uint32_t XdpPort::mtu() const noexcept {
    return socket_->mtu;
}

bool XdpPort::is_zero_copy() const noexcept {
    return socket_->is_zero_copy;
}

DeviceStatistics XdpPort::statistics() const noexcept {
    DeviceStatistics statistics{.kicks_unfinished = socket_->kicks_unfinished};
    xdp_statistics kernel{};
    socklen_t size = sizeof kernel;
    if (::getsockopt(socket_->fd(), SOL_XDP, XDP_STATISTICS, &kernel, &size) == 0) {
        statistics.receive_dropped = kernel.rx_dropped + kernel.rx_invalid_descs + kernel.rx_ring_full;
        statistics.transmit_dropped = kernel.tx_invalid_descs;
    }
    return statistics;
}

}  // namespace rouse::port
