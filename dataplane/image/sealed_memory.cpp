#include "dataplane/image/sealed_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rouse::image {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t size, std::size_t page) noexcept {
    return (size + page - 1) / page * page;
}

// What the kernel would rather keep for itself and for everybody else.
constexpr std::uint64_t kReserve = std::uint64_t{128} << 20;

struct Spare {
    std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();  // not told: the kernel must refuse
    std::uint64_t huge_pages = 0;                                      // bytes
};

Spare spare() {
    Spare result;
    std::ifstream file("/proc/meminfo");
    std::string unit;
    std::uint64_t value = 0;
    for (std::string key; file >> key >> value; std::getline(file, unit)) {
        if (key == "MemAvailable:") result.memory = std::max(value * 1024, kReserve) - kReserve;
        if (key == "HugePages_Free:") result.huge_pages = value * kHugePage;
    }
    return result;
}

// A mapped memfd of `size` bytes, all of it really there; nullptr, with errno, when it cannot be had.
std::byte* map_new(std::size_t size, unsigned flags, int& fd) noexcept {
    fd = ::memfd_create("rouse-image", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
    if (fd < 0) return nullptr;
    // fallocate: a host out of memory says so here, not by a signal in the middle of a copy.
    if (::fallocate(fd, 0, 0, static_cast<off_t>(size)) == 0) {
        void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (address != MAP_FAILED) return static_cast<std::byte*>(address);
    }
    const int error = errno;
    ::close(fd);
    fd = -1;
    errno = error;
    return nullptr;
}

}  // namespace

Result<SealedMemory> SealedMemory::allocate(std::size_t size) {
    SealedMemory memory;
    memory.size_ = size;
    if (size == 0) return memory;
    // Asked beforehand: the kernel would rather kill somebody than refuse.
    const Spare host = spare();
    if (size >= kHugePage && size <= host.huge_pages) {
        memory.mapped_ = round_up(size, kHugePage);
        memory.data_ = map_new(memory.mapped_, MFD_HUGETLB, memory.fd_);
        memory.huge_ = memory.data_ != nullptr;
        if (memory.huge_) return memory;
    }
    memory.mapped_ = round_up(size, kPage);
    errno = ENOMEM;
    if (memory.mapped_ < host.memory) memory.data_ = map_new(memory.mapped_, 0, memory.fd_);
    if (memory.data_ != nullptr) return memory;
    memory.mapped_ = 0;
    return fail_errno("cannot get " + std::to_string(size) +
                      " bytes for an image, lower dataplane.staging_mib");
}

SealedMemory& SealedMemory::operator=(SealedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    std::swap(fd_, other.fd_);
    std::swap(locked_, other.locked_);
    std::swap(huge_, other.huge_);
    return *this;
}

SealedMemory::~SealedMemory() {
    if (data_ != nullptr) ::munmap(data_, mapped_);
    if (fd_ >= 0) ::close(fd_);
}

Result<void> SealedMemory::seal() {
    if (size_ == 0) return {};
    // The kernel refuses F_SEAL_WRITE while a writable mapping exists.
    ::munmap(data_, mapped_);
    data_ = nullptr;
    if (::fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        return fail_errno("cannot seal an image's memory");
    void* const address = ::mmap(nullptr, mapped_, PROT_READ, MAP_SHARED | MAP_POPULATE, fd_, 0);
    if (address == MAP_FAILED) return fail_errno("cannot map an image's memory");
    data_ = static_cast<std::byte*>(address);
    locked_ = ::mlock(data_, mapped_) == 0;
    ::close(fd_);
    fd_ = -1;
    return {};
}

}  // namespace rouse::image
