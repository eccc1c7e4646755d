#include "dataplane/worker/neighbour_limit.hpp"

#include <fstream>

namespace rouse::worker {
namespace {

Result<void> raise(const std::string& directory, const std::string& family, const char* name,
                   std::size_t least) {
    const std::string path = directory + "/" + family + "/neigh/default/" + name;
    std::size_t now = 0;
    if (!(std::ifstream(path) >> now) || now >= least) return {};
    std::ofstream file(path);
    file << least << '\n';
    file.close();
    if (file) return {};
    return fail("the kernel answers ARP of no more than " + std::to_string(now) +
                " machines at a time: `sysctl -w net." + family + ".neigh.default." + name + "=" +
                std::to_string(least) + "`, or run as root");
}

}  // namespace

Result<void> allow_neighbours(std::size_t machines, const std::string& directory) {
    // The last is the limit; beyond the one before, what was not used for five seconds is forgotten.
    for (const char* family : {"ipv4", "ipv6"})
        for (const char* name : {"gc_thresh3", "gc_thresh2"})
            if (auto raised = raise(directory, family, name, machines); !raised) return raised;
    return {};
}

}  // namespace rouse::worker
