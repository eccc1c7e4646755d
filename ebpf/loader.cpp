#include "ebpf/loader.hpp"

#include <array>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <rouse_xdp.skel.h>
#include <unistd.h>

namespace rouse::ebpf {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);

// What libbpf has to say while it lives, the verifier's log included, instead of printing it.
class LibbpfMessages {
  public:
    LibbpfMessages() : previous_(libbpf_set_print(&LibbpfMessages::collect)) { text().clear(); }
    ~LibbpfMessages() { libbpf_set_print(previous_); }
    LibbpfMessages(const LibbpfMessages&) = delete;
    LibbpfMessages& operator=(const LibbpfMessages&) = delete;

    // Thread-local, as libbpf's callback carries no context.
    static std::string& text() {
        static thread_local std::string collected;
        return collected;
    }

  private:
    __attribute__((format(printf, 2, 0))) static int collect(libbpf_print_level level, const char* format,
                                                             va_list arguments) {
        constexpr std::size_t kLongest = std::size_t{16} * 1024;
        std::array<char, kLongest> line{};
        if (level != LIBBPF_DEBUG && std::vsnprintf(line.data(), line.size(), format, arguments) > 0)
            text() += line.data();
        return 0;
    }
    libbpf_print_fn_t previous_;
};

std::string explain_load_failure(int error) {
    const std::string what =
        "the kernel refuses to load the XDP program (" + std::string(std::strerror(error)) + "): ";
    if (error == EPERM) return what + "run as root, or grant CAP_BPF and CAP_NET_ADMIN";
    return what + "Linux 6.1 or newer with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS is needed\n" +
           LibbpfMessages::text();
}

std::string explain_attach_failure(int error) {
    switch (error) {
        case EPERM:
            return "not permitted; run as root, or grant CAP_NET_ADMIN";
        case EOPNOTSUPP:
            return "the driver does not know it";
        case EINVAL:
        case ERANGE:
            return "the driver refuses it at this MTU or with large receive offload on";
        default:
            return std::strerror(error);
    }
}

// The bpf_link that keeps PROGRAM on an interface, if it is not there by netlink.
std::optional<std::uint32_t> link_of(int interface_index, std::uint32_t program) {
    for (std::uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
        const int fd = bpf_link_get_fd_by_id(id);
        if (fd < 0) continue;
        bpf_link_info info{};
        std::uint32_t size = sizeof info;
        const bool known = bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
        ::close(fd);
        if (known && info.type == BPF_LINK_TYPE_XDP && info.prog_id == program &&
            info.xdp.ifindex == static_cast<std::uint32_t>(interface_index))
            return id;
    }
    return std::nullopt;
}

// An interface carries one program; says whose way it is in and how to clear it.
Result<void> refuse_occupied(const std::string& interface, int interface_index) {
    bpf_xdp_query_opts state{};
    state.sz = sizeof state;
    if (bpf_xdp_query(interface_index, 0, &state) != 0 || state.attach_mode == XDP_ATTACHED_NONE) return {};
    struct Way {
        std::uint32_t program;
        const char* off;
    };
    // attach_mode is MULTI when two modes are in use at once; any one of them is enough to name.
    const std::array<Way, 3> ways{
        {{state.drv_prog_id, "xdpdrv"}, {state.skb_prog_id, "xdpgeneric"}, {state.hw_prog_id, "xdpoffload"}}};
    for (const Way& way : ways) {
        if (way.program == 0) continue;
        std::string what = interface;
        what += " already has an XDP program (id " + std::to_string(way.program) + "): ";
        if (const auto link = link_of(interface_index, way.program))
            return fail(what +
                        "stop the process that put it there (another rouse-dataplane?) or run `bpftool link "
                        "detach id " +
                        std::to_string(*link) + "`");
        return fail(what + "remove it with `ip link set dev " + interface + " " + way.off + " off`");
    }
    return {};
}

// A process that was killed leaves the interface only when the last of its memory is gone: who restarts it at
// once finds it occupied for a moment.
Result<void> wait_until_free(const std::string& interface, int interface_index) {
    using Clock = std::chrono::steady_clock;
    for (const auto deadline = Clock::now() + kPatience;;) {
        auto free = refuse_occupied(interface, interface_index);
        if (free || Clock::now() > deadline) return free;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace

struct XdpProgram::Loaded {
    ::rouse_xdp* skeleton = nullptr;
    int link = -1;

    Loaded() = default;
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    ~Loaded() {
        if (link >= 0) ::close(link);
        rouse_xdp__destroy(skeleton);
    }
    // 0 or an errno value.
    [[nodiscard]] int attach_to(int interface_index, XdpMode mode) {
        bpf_link_create_opts options{};
        options.sz = sizeof options;
        options.flags = mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
        link =
            bpf_link_create(bpf_program__fd(skeleton->progs.rouse_xdp), interface_index, BPF_XDP, &options);
        return link < 0 ? errno : 0;
    }
};

XdpProgram::XdpProgram(std::unique_ptr<Loaded> loaded) noexcept : loaded_(std::move(loaded)) {}
XdpProgram::XdpProgram(XdpProgram&&) noexcept = default;
XdpProgram& XdpProgram::operator=(XdpProgram&&) noexcept = default;
XdpProgram::~XdpProgram() = default;

Result<XdpProgram> XdpProgram::load(std::uint32_t allow_list_size) {
    const LibbpfMessages messages;
    auto loaded = std::make_unique<Loaded>();
    loaded->skeleton = rouse_xdp__open();
    if (loaded->skeleton == nullptr) return fail(explain_load_failure(errno));
    for (bpf_map* map : {loaded->skeleton->maps.machines, loaded->skeleton->maps.addresses})
        bpf_map__set_max_entries(map, allow_list_size);
    if (const int error = rouse_xdp__load(loaded->skeleton); error != 0)
        return fail(explain_load_failure(-error));
    return XdpProgram(std::move(loaded));
}

Result<XdpProgram> XdpProgram::attach(const std::string& interface, std::optional<XdpMode> mode,
                                      std::uint32_t allow_list_size) {
    const auto index = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (index == 0) return fail("there is no interface " + interface + ": see `ip link`");
    auto program = load(allow_list_size);
    if (!program) return program;
    if (auto free = wait_until_free(interface, index); !free) return tl::unexpected(free.error());

    program->mode_ = mode.value_or(XdpMode::native);
    int error = program->loaded_->attach_to(index, program->mode_);
    if (error != 0 && !mode) {
        program->native_refusal_ = explain_attach_failure(error);
        program->mode_ = XdpMode::generic;
        error = program->loaded_->attach_to(index, XdpMode::generic);
    }
    if (error != 0)
        return fail("cannot attach the XDP program to " + interface + " in " + to_string(program->mode_) +
                    " mode: " + explain_attach_failure(error));
    return program;
}

int XdpProgram::program_fd() const noexcept {
    return bpf_program__fd(loaded_->skeleton->progs.rouse_xdp);
}

int XdpProgram::sockets_map_fd() const noexcept {
    return bpf_map__fd(loaded_->skeleton->maps.xsks_map);
}

int XdpProgram::machines_map_fd() const noexcept {
    return bpf_map__fd(loaded_->skeleton->maps.machines);
}

int XdpProgram::addresses_map_fd() const noexcept {
    return bpf_map__fd(loaded_->skeleton->maps.addresses);
}

xdp_filter_settings& XdpProgram::settings() const noexcept {
    return loaded_->skeleton->bss->settings;
}

Result<XdpCounters> XdpProgram::counters() const {
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0) return fail_errno("cannot tell how many CPUs there are", -cpus);
    const int map = bpf_map__fd(loaded_->skeleton->maps.counters);
    XdpCounters counters;
    const std::array<std::uint64_t*, XDP_FILTER_COUNTER_COUNT> totals{
#define X(name, help) &counters.name,
        XDP_FILTER_COUNTERS(X)
#undef X
    };
    std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(cpus));
    for (std::uint32_t key = 0; key < totals.size(); ++key) {
        if (bpf_map_lookup_elem(map, &key, per_cpu.data()) != 0)
            return fail_errno("cannot read the XDP program's counters");
        *totals[key] = std::accumulate(per_cpu.begin(), per_cpu.end(), std::uint64_t{0});
    }
    return counters;
}

}  // namespace rouse::ebpf
