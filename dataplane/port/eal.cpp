#include "dataplane/port/eal.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <unistd.h>

namespace rouse::port {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSmallPages = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
constexpr std::uint64_t kSmallPageMib = 2;

// Where DPDK's messages go: a stream of ours, since its own is the terminal.
class Log {
  public:
    static Log& instance() {
        static Log log;
        return log;
    }
    // Before EAL starts, so that its first words are caught too.
    void open(std::function<void(const std::string&)> report) {
        report_ = std::move(report);
        stream_ = ::fopencookie(this, "w", {.write = write});
        if (stream_ == nullptr) return;
        ::setvbuf(stream_, nullptr, _IOLBF, BUFSIZ);
        rte_openlog_stream(stream_);
    }
    void collect() {
        const std::lock_guard guard(mutex_);
        collects_ = true;
        first_.clear();
    }
    void stop_collecting() {
        const std::lock_guard guard(mutex_);
        collects_ = false;
    }
    std::string first() {
        const std::lock_guard guard(mutex_);
        return first_;
    }

  private:
    static ssize_t write(void* self, const char* text, std::size_t size) {
        static_cast<Log*>(self)->hear(std::string(text, size));
        return static_cast<ssize_t>(size);
    }
    void hear(std::string line) {
        line.erase(line.find_last_not_of(" \r\n") + 1);
        const auto level = static_cast<unsigned>(rte_log_cur_msg_loglevel());
        if (line.empty() || level > RTE_LOG_WARNING) return;
        const std::lock_guard guard(mutex_);
        if (!collects_) {
            if (report_) report_("DPDK says: " + line);
        } else if (first_.empty() && level <= RTE_LOG_ERR) {
            first_ = line;
        }
    }

    std::mutex mutex_;
    std::function<void(const std::string&)> report_;
    FILE* stream_ = nullptr;
    bool collects_ = false;
    std::string first_;
};

// EAL's one state.
struct Running {
    std::mutex mutex;
    bool is_running = false;
    std::string memory;
};

Running& running() {
    static Running state;
    return state;
}

std::uint64_t read_number(const std::string& path) {
    std::uint64_t number = 0;
    std::ifstream(path) >> number;
    return number;
}

// `0@(0,1)`: EAL's logical core 0 is the calling thread, on the cores it may run on now; so EAL pins nothing.
std::string logical_core() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    ::sched_getaffinity(0, sizeof cpus, &cpus);
    std::string list;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<unsigned>(cpu), &cpus))
            list += (list.empty() ? "" : ",") + std::to_string(cpu);
    return "0@(" + list + ")";
}

}  // namespace

Result<void> check_pci_device(std::string_view device, const std::string& sysfs) {
    const std::string name = pci_name(device);
    const fs::path directory = fs::path(sysfs) / "bus/pci/devices" / name;
    std::error_code error;
    if (!fs::exists(directory, error))
        return fail("there is no PCI device " + name + " here (see `dpdk-devbind.py --status-dev net`)");
    const std::string bind = "bind it: `modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci " + name + "`";
    const std::string driver = pci_driver(device, sysfs);
    if (driver.empty()) return fail("PCI device " + name + " has no driver; " + bind);
    if (!shares_with_dpdk(driver))
        return fail("PCI device " + name + " is the kernel's (driver " + driver + "); " + bind);
    if (driver == "vfio-pci" && !fs::exists(directory / "iommu_group", error))
        return fail(
            "PCI device " + name +
            " is behind no IOMMU, so that VFIO gives it to nobody; switch the IOMMU on (firmware, and "
            "intel_iommu=on or amd_iommu=on for the kernel)");
    return {};
}

HugePages read_huge_pages(const std::string& sysfs) {
    HugePages pages;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fs::path(sysfs) / "kernel/mm/hugepages", error)) {
        constexpr std::string_view kPrefix = "hugepages-";  // then its size: "2048kB"
        const std::string name = entry.path().filename();
        if (!name.starts_with(kPrefix)) continue;
        const std::uint64_t page_kib = std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10);
        pages.free_mib += read_number(entry.path() / "free_hugepages") * page_kib / 1024;
        if (page_kib == kSmallPageMib * 1024) pages.small_pages = read_number(entry.path() / "nr_hugepages");
    }
    return pages;
}

std::string reserve_huge_pages(const HugePages& pages, std::uint64_t needed_mib) {
    const std::uint64_t missing = needed_mib - std::min(needed_mib, pages.free_mib);
    const std::uint64_t more = (missing + kSmallPageMib - 1) / kSmallPageMib;
    return "`echo " + std::to_string(pages.small_pages + more) + " > " + kSmallPages + "nr_hugepages`";
}

std::string explain_start_failure(int error, const HugePages& pages, std::uint64_t needed_mib) {
    switch (error) {
        case EACCES:
        case EPERM:
            return "not permitted; run as root, or with dataplane.dpdk_eal = \"--no-huge --no-pci\"";
        case ENOMEM:
            return "the memory could not be had; reserve huge pages: " +
                   reserve_huge_pages(pages, needed_mib) + ", or set dataplane.dpdk_eal = \"--no-huge\"";
        case EINVAL:
            return "an argument is wrong; correct dataplane.dpdk_eal";
        default:
            return rte_strerror(error);
    }
}

Result<std::vector<std::string>> eal_arguments(const EalOptions& options, const HugePages& pages) {
    const bool is_pci = is_pci_device(options.device);
    std::istringstream words(options.arguments);
    const std::vector<std::string> more{std::istream_iterator<std::string>(words), {}};
    const bool wants_none = std::find(more.begin(), more.end(), "--no-huge") != more.end();
    std::uint64_t memory_mib = options.memory_mib;
    if (const auto own = std::find(more.begin(), more.end(), "-m"); more.end() - own > 1)
        memory_mib = std::strtoull((own + 1)->c_str(), nullptr, 10);
    const bool has_huge_pages = !wants_none && pages.free_mib >= memory_mib;
    if (is_pci && !has_huge_pages)
        return fail("DPDK needs " + std::to_string(memory_mib) + " MiB of huge pages for " + options.device +
                    " and " + std::to_string(pages.free_mib) +
                    " MiB are free; reserve more: " + reserve_huge_pages(pages, memory_mib));
    std::vector<std::string> arguments{"--no-telemetry", "--file-prefix=rouse-" + std::to_string(::getpid()),
                                       "--lcores=" + logical_core(), "-m", std::to_string(memory_mib)};
    // In memory: huge pages without a mounted hugetlbfs, and nothing left behind in files. In one piece:
    // virtio-user shares them with another process, and that takes no more than eight.
    if (has_huge_pages)
        arguments.insert(arguments.end(), {"--in-memory", "--single-file-segments"});
    else
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
    if (is_pci)
        arguments.insert(arguments.end(), {"-a", options.device});
    else  // software needs no physical addresses, which only root may know
        arguments.insert(arguments.end(), {"--no-pci", "--iova-mode=va"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

Result<void> start_eal(const EalOptions& options) {
    Running& state = running();
    const std::lock_guard guard(state.mutex);
    if (state.is_running) return {};
    const HugePages pages = read_huge_pages();
    auto arguments = eal_arguments(options, pages);
    if (!arguments) return tl::unexpected(arguments.error());
    Log::instance().open(options.report);
    const Complaints complaints;
    arguments->insert(arguments->begin(), "rouse");
    std::vector<char*> argv;
    for (std::string& argument : *arguments) argv.push_back(argument.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0)
        return fail("cannot start DPDK: " + explain_start_failure(rte_errno, pages, options.memory_mib) +
                    complaints.first());
    state.is_running = true;
    state.memory = rte_eal_has_hugepages() != 0 ? "huge pages"
                                                : "ordinary pages (" + std::to_string(pages.free_mib) +
                                                      " MiB of huge pages were free)";
    return {};
}

const std::string& eal_memory() {
    return running().memory;
}

Complaints::Complaints() {
    Log::instance().collect();
}

Complaints::~Complaints() {
    Log::instance().stop_collecting();
}

std::string Complaints::first() const {
    const std::string line = Log::instance().first();
    return line.empty() ? line : " (DPDK says: " + line + ")";
}

}  // namespace rouse::port
