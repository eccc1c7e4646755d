#pragma once
// What a process has once of DPDK: its environment abstraction layer (EAL), which gives memory and drivers.

#include "shared/pci.hpp"
#include "shared/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::port {

struct EalOptions {
    std::string device;             // the first to be opened, as in `dpdk:<device>`
    std::uint32_t memory_mib = 32;  // for the frames of all devices
    std::string arguments{};        // more for EAL, blanks between them; they come last, so they win
    // Hears of what goes wrong from then on, in DPDK's words; on any thread.
    std::function<void(const std::string&)> report{};
};

// PCI device DEVICE is there and its driver leaves it to DPDK; if not, what to do. SYSFS: for tests.
[[nodiscard]] Result<void> check_pci_device(std::string_view device, const std::string& sysfs = "/sys");

// What the kernel has of them, of all sizes.
struct HugePages {
    std::uint64_t free_mib = 0;     // nobody uses it
    std::uint64_t small_pages = 0;  // of 2 MiB, free or not
};
[[nodiscard]] HugePages read_huge_pages(const std::string& sysfs = "/sys");
// The command after which NEEDED_MIB are free.
[[nodiscard]] std::string reserve_huge_pages(const HugePages& pages, std::uint64_t needed_mib);

// EAL's command line for OPTIONS, without the program's name. A PCI device without huge pages enough is an
// error: hardware reads and writes no pages that may move.
[[nodiscard]] Result<std::vector<std::string>> eal_arguments(const EalOptions& options,
                                                             const HugePages& pages);

// ERROR: errno's of an EAL that did not start; what to do about it.
[[nodiscard]] std::string explain_start_failure(int error, const HugePages& pages, std::uint64_t needed_mib);

// Starts EAL; does nothing if it runs. Its main thread is the caller, on whatever cores that may run.
// Never stopped: EAL cannot be started twice.
[[nodiscard]] Result<void> start_eal(const EalOptions& options);

// "huge pages", or "ordinary pages: …" with why; of the EAL that runs.
[[nodiscard]] const std::string& eal_memory();

// Ends the collecting of what DPDK says of errors, begun by the constructor; from one thread at a time.
// Meanwhile none of it is reported.
class Complaints {
  public:
    Complaints();
    ~Complaints();
    Complaints(const Complaints&) = delete;
    Complaints& operator=(const Complaints&) = delete;

    // " (DPDK says: …)" with the first of them, which names the cause; empty if there were none.
    [[nodiscard]] std::string first() const;
};

}  // namespace rouse::port
