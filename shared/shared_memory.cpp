#include "shared/shared_memory.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::detail {
namespace {

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

Result<void*> map_shared_file(const std::string& path, std::size_t size, Residency residency) {
    // Two rounds: the second one meets the fresh file if the first found one of another size.
    for (int round = 0; round < 2; ++round) {
        const Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
        if (file.fd < 0) return fail_errno("cannot open shared memory " + path);
        // Both processes may start at once: the lock makes sizing the fresh file one step.
        if (::flock(file.fd, LOCK_EX) != 0) return fail_errno("cannot lock shared memory " + path);
        struct stat status {};
        if (::fstat(file.fd, &status) != 0) return fail_errno("cannot examine shared memory " + path);
        // Room that were missing only when it is written to would end the process.
        if (const int error =
                status.st_size == 0 ? ::posix_fallocate(file.fd, 0, static_cast<off_t>(size)) : 0) {
            ::unlink(path.c_str());
            errno = error;
            return fail_errno("cannot make room for shared memory " + path);
        }
        if (status.st_size != 0 && static_cast<std::size_t>(status.st_size) != size) {
            ::unlink(path.c_str());
            continue;
        }
        const int flags = residency == Residency::all ? MAP_SHARED | MAP_POPULATE : MAP_SHARED;
        void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file.fd, 0);
        if (mapped == MAP_FAILED) return fail_errno("cannot map shared memory " + path);
        // Closing does not: the mapping keeps the open file, and with it the lock, alive.
        ::flock(file.fd, LOCK_UN);
        return mapped;
    }
    return fail("shared memory " + path +
                " belongs to another version of rouse that is still running; stop it");
}

void unmap_shared_file(void* address, std::size_t size) noexcept {
    ::munmap(address, size);
}

}  // namespace rouse::detail
