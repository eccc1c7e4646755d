#include "mgmt/http/scoped_netns.hpp"

#include <cstdio>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace rouse::http {

Result<ScopedNetns> ScopedNetns::enter(const std::string& path) {
    if (path.empty()) return ScopedNetns(-1);
    const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0) return fail_errno("cannot open this thread's network namespace");
    const int other = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (other < 0) {
        const int error = errno;
        ::close(home);
        return fail_errno("cannot open the network namespace " + path, error);
    }
    const int result = ::setns(other, CLONE_NEWNET);
    const int error = errno;
    ::close(other);
    if (result != 0) {
        ::close(home);
        return fail_errno("cannot enter the network namespace " + path + " (it takes CAP_SYS_ADMIN)", error);
    }
    return ScopedNetns(home);
}

ScopedNetns::ScopedNetns(ScopedNetns&& other) noexcept : home_(std::exchange(other.home_, -1)) {}

ScopedNetns::~ScopedNetns() {
    if (home_ < 0) return;
    if (::setns(home_, CLONE_NEWNET) != 0) {
        std::perror("cannot return to the thread's own network namespace");
        std::terminate();
    }
    ::close(home_);
}

}  // namespace rouse::http
