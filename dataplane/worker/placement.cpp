#include "dataplane/worker/placement.hpp"

#include <algorithm>
#include <set>

#include <pthread.h>
#include <sched.h>

namespace rouse::worker {
namespace {

std::string list_of(const std::vector<unsigned>& cores) {
    std::string text;
    for (const unsigned core : cores) text += (text.empty() ? "" : ", ") + std::to_string(core);
    return text;
}

}  // namespace

std::vector<unsigned> usable_cores() {
    std::vector<unsigned> cores;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
    for (unsigned core = 0; core < CPU_SETSIZE; ++core)
        if (CPU_ISSET(core, &set)) cores.push_back(core);
    return cores;
}

Result<std::vector<unsigned>> choose_cores(const std::vector<unsigned>& wanted, std::size_t workers,
                                           const std::vector<unsigned>& usable) {
    if (wanted.empty()) {
        if (workers == 1 || workers > usable.size()) return std::vector<unsigned>{};
        return std::vector<unsigned>(usable.end() - static_cast<std::ptrdiff_t>(workers), usable.end());
    }
    if (wanted.size() != workers)
        return fail("dataplane.cores names " + std::to_string(wanted.size()) + " and there are " +
                    std::to_string(workers) + " workers: name one core for each");
    if (std::set<unsigned>(wanted.begin(), wanted.end()).size() != wanted.size())
        return fail("dataplane.cores names a core twice: each worker needs one of its own");
    for (const unsigned core : wanted)
        if (!std::ranges::binary_search(usable, core))
            return fail("dataplane.cores names core " + std::to_string(core) +
                        ", which this process may not use: it has " + list_of(usable));
    return wanted;
}

Result<void> stay_on(unsigned core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    if (const int error = ::pthread_setaffinity_np(::pthread_self(), sizeof cores, &cores); error != 0)
        return fail_errno("cannot run on core " + std::to_string(core) + " (dataplane.cores)", error);
    return {};
}

}  // namespace rouse::worker
