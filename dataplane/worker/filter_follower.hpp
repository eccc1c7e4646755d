#pragma once
// Keeps the XDP program in front of the workers equal to the store: a thread of its own follows tables
// `hosts`, `leases` and `networks` and writes the program's allow-list and the limits for strangers; and it
// publishes what the program counted.
//
// Until the list is complete for the first time everybody is let through. A commit shows within
// milliseconds; commits that change nothing here cost next to nothing (kHostsGenerationKey). Reading
// everything anew is followed by a pause as long, so under a stream of commits the list of a large store lags
// by up to three times what one reading takes (1 000 000 machines: some 40 ms). Whoever is late or finds no
// room on the list is a stranger until then: its first frames still reach the worker, which decides by the
// store alone.

#include "ebpf/allow_list.hpp"
#include "shared/counters.hpp"
#include "shared/store/tables.hpp"

#include <functional>
#include <memory>
#include <string>

namespace rouse::worker {

class FilterFollower {
  public:
    struct Options {
        bool allow_list = true;              // Config::dataplane, as the next two
        Ipv4Prefix own_subnet{};             // machines in it are known by hardware address alone
        unsigned strangers_per_second = 0;   // frames of all strangers together
        unsigned guests_per_second = 0;      // likewise while some network serves unknown machines
        ebpf::Extras extras{};               // for which there is a service
        CountersLayout* counters = nullptr;  // not null
        // What people should know; called on the thread. May be empty.
        std::function<void(const std::string&)> report{};
    };

    // Starts the thread. The rest outlives it; the thread has its own read transaction in `environment`. One
    // per program.
    FilterFollower(store::Environment& environment, const store::Tables& tables,
                   const ebpf::XdpProgram& program, Options options);
    ~FilterFollower();  // stops the thread; the program stays as it is
    FilterFollower(const FilterFollower&) = delete;
    FilterFollower& operator=(const FilterFollower&) = delete;

  private:
    struct Running;
    std::unique_ptr<Running> running_;
};

}  // namespace rouse::worker
