#include "dataplane/port/host_interface.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace rouse::port {
namespace {

constexpr std::size_t kFramesPerRound = 64;  // each way, so that neither starves the other

class Descriptor {
  public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    return request;
}

Result<void> set_address(const std::string& name, const std::string& text) {
    const auto wrong = [&] {
        return fail("'" + text + "' is not an address with its prefix length, such as 10.77.0.1/16");
    };
    const auto slash = text.find('/');
    if (slash == std::string::npos) return wrong();
    unsigned length = 0;
    const char* const end = text.data() + text.size();
    if (const auto number = std::from_chars(text.data() + slash + 1, end, length);
        number.ec != std::errc{} || number.ptr != end)
        return wrong();
    const std::string address = text.substr(0, slash);
    const auto failed = [&] { return fail_errno("cannot give " + name + " the address " + text); };
    in6_ifreq six{};
    if (::inet_pton(AF_INET6, address.c_str(), &six.ifr6_addr) == 1 && length <= 128) {
        const Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        six.ifr6_prefixlen = length;
        six.ifr6_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
        if (::ioctl(socket.get(), SIOCSIFADDR, &six) != 0) return failed();
        return {};
    }
    sockaddr_in four{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
    if (::inet_pton(AF_INET, address.c_str(), &four.sin_addr) != 1 || length > 32) return wrong();
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = request_for(name);
    std::memcpy(&request.ifr_addr, &four, sizeof four);
    if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) return failed();
    four.sin_addr.s_addr = length == 0 ? 0 : htonl(~std::uint32_t{0} << (32 - length));
    std::memcpy(&request.ifr_netmask, &four, sizeof four);
    if (::ioctl(socket.get(), SIOCSIFNETMASK, &request) != 0) return failed();
    return {};
}

Result<void> set_up(const std::string& name, const MacAddress& hardware_address, std::uint32_t mtu) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = request_for(name);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::copy(hardware_address.octets.begin(), hardware_address.octets.end(), request.ifr_hwaddr.sa_data);
    if (::ioctl(socket.get(), SIOCSIFHWADDR, &request) != 0)
        return fail_errno("cannot give " + name + " the hardware address " + hardware_address.to_string());
    request = request_for(name);
    request.ifr_mtu = static_cast<int>(mtu);
    if (::ioctl(socket.get(), SIOCSIFMTU, &request) != 0)
        return fail_errno("cannot give " + name + " an MTU of " + std::to_string(mtu));
    request = request_for(name);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return fail_errno("cannot bring " + name + " up");
    return {};
}

Result<int> make_tap(const std::string& name) {
    if (name.size() >= IFNAMSIZ) return fail("'" + name + "' is too long for an interface's name");
    Descriptor tap(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (tap.get() < 0)
        return fail_errno("cannot make the host's interface " + name +
                          ": no /dev/net/tun (`modprobe tun`; in a container, pass the device in)");
    ifreq request = request_for(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (::ioctl(tap.get(), TUNSETIFF, &request) == 0) return tap.release();
    if (errno == EBUSY)
        return fail(
            "there is an interface " + name +
            " already: is another dataplane running? Choose another name by dataplane.host_interface");
    if (errno == EPERM)
        return fail("not permitted to make the host's interface " + name +
                    ": run as root, or grant CAP_NET_ADMIN");
    return fail_errno("cannot make the host's interface " + name);
}

}  // namespace

Result<std::unique_ptr<HostInterface>> HostInterface::open(const HostInterfaceOptions& options,
                                                           const MacAddress& hardware_address,
                                                           std::uint32_t mtu, unsigned workers) {
    if (options.addresses.empty())
        return fail(
            "the kernel knows no address for a dpdk port; set dataplane.address, such as 10.77.0.1/16");
    const auto tap = make_tap(options.name);
    if (!tap) return tl::unexpected(tap.error());
    Descriptor descriptor(*tap);
    auto bell = Bell::make();
    auto worker_bell = Bell::make();
    if (!bell) return tl::unexpected(bell.error());
    if (!worker_bell) return tl::unexpected(worker_bell.error());
    std::unique_ptr<HostInterface> interface(new HostInterface(options.name, descriptor.release(), workers,
                                                               std::move(*bell), std::move(*worker_bell)));
    if (auto done = set_up(options.name, hardware_address, mtu); !done) return tl::unexpected(done.error());
    for (const std::string& address : options.addresses)
        if (auto done = set_address(options.name, address); !done) return tl::unexpected(done.error());
    interface->thread_ = std::thread([raw = interface.get()] { raw->run(); });
    return interface;
}

HostInterface::HostInterface(std::string name, int tap, unsigned workers, Bell bell, Bell worker_bell)
    : name_(std::move(name)), tap_(tap), bell_(std::move(bell)), worker_bell_(std::move(worker_bell)) {
    for (unsigned worker = 0; worker < workers; ++worker) to_host_.push_back(std::make_unique<Ring>());
}

HostInterface::~HostInterface() {
    stop_.store(true);
    bell_.ring();
    if (thread_.joinable()) thread_.join();
    ::close(tap_);
}

void HostInterface::run() noexcept {
    while (!stop_.load()) {
        const bool wrote = write_out();
        const bool read = read_in();
        if (!wrote && !read) rest();
    }
}

bool HostInterface::write_out() noexcept {
    bool any = false;
    for (const auto& ring : to_host_) {
        std::array<Frame, kFramesPerRound> frames;
        const std::size_t n = ring->take(frames);
        for (std::size_t i = 0; i < n; ++i)
            if (::write(tap_, frames[i].data, frames[i].length) < 0)
                lost_.fetch_add(1, std::memory_order_relaxed);
        ring->release(n);
        any = any || n > 0;
    }
    return any;
}

bool HostInterface::read_in() noexcept {
    std::array<std::byte, Ring::kMaxFrameBytes> frame;
    bool any = false;
    for (std::size_t i = 0; i < kFramesPerRound && !from_host_.is_full(); ++i) {
        const ssize_t length = ::read(tap_, frame.data(), frame.size());
        if (length <= 0) break;
        if (!from_host_.give(std::span(frame).first(static_cast<std::size_t>(length))))
            lost_.fetch_add(1, std::memory_order_relaxed);
        any = true;
    }
    if (from_host_.publish()) worker_bell_.ring();
    return any;
}

void HostInterface::rest() noexcept {
    bell_.prepare();
    const bool has_work =
        std::any_of(to_host_.begin(), to_host_.end(), [](const auto& ring) { return !ring->is_empty(); });
    if (!has_work && !stop_.load()) {
        // While the worker has no room for more, what the host says waits in the TAP; the worker rings
        // nobody, so look again soon.
        constexpr int kLookAgainMs = 1;
        constexpr int kForEver = -1;
        const bool is_full = from_host_.is_full();
        std::array<pollfd, 2> events{{{.fd = bell_.fd(), .events = POLLIN, .revents = 0},
                                      {.fd = is_full ? -1 : tap_, .events = POLLIN, .revents = 0}}};
        ::poll(events.data(), events.size(), is_full ? kLookAgainMs : kForEver);
    }
    bell_.done();
}

}  // namespace rouse::port
