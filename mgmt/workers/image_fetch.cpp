#include "mgmt/workers/image_fetch.hpp"

#include "mgmt/boot/upload.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::workers {
namespace {

constexpr std::string_view kPrefix = ".fetch-";  // of files that are not whole yet

std::string part_of(const boot::Catalogue& catalogue, const std::string& hex) {
    return catalogue.images_dir() + "/" + std::string(kPrefix) + hex;
}

Result<void> make_durable(const std::string& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
    if (descriptor < 0) return fail_errno("cannot open " + path);
    const bool synced = ::fsync(descriptor) == 0;
    const int error = errno;
    ::close(descriptor);
    return synced ? Result<void>{} : fail_errno("cannot make " + path + " durable", error);
}

class Part {
  public:
    static Result<Part> open(const std::string& path) {
        const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (descriptor < 0) return fail_errno("cannot write " + path);
        struct stat status {};
        ::fstat(descriptor, &status);
        return Part(descriptor, static_cast<std::uint64_t>(status.st_size));
    }
    Part(Part&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}
    Part& operator=(Part&&) = delete;
    ~Part() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    bool start_over() {
        size_ = 0;
        return ::ftruncate(descriptor_, 0) == 0;
    }
    bool append(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
            if (n <= 0) return false;
            size_ += static_cast<std::uint64_t>(n);
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

  private:
    Part(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
    int descriptor_;
    std::uint64_t size_;
};

Result<void> download(CentreLink& link, const std::string& token, const std::string& url, Part& part,
                      std::uint64_t size) {
    if (part.size() > size && !part.start_over()) return fail_errno("cannot write an image's content");
    if (part.size() == size && size != 0) return {};
    bool is_first = true, written = true;
    const std::uint64_t from = part.size();
    const auto answer = link.download(token, url, from, [&](long status, std::string_view bytes) {
        // The whole again, though a part was asked for.
        if (std::exchange(is_first, false) && status == 200 && from != 0 && !part.start_over()) return false;
        written = part.size() + bytes.size() <= size && part.append(bytes);
        return written;
    });
    if (!written) return fail("an image's content cannot be written, or is longer than it should be");
    if (!answer) return tl::unexpected(answer.error());
    if (!answer->is_success()) return fail("the centre answered " + answer->trouble());
    return {};
}

}  // namespace

Result<void> fetch_image(CentreLink& link, const std::string& token, const std::string& path,
                         const boot::Catalogue& catalogue, const store::Document& image) {
    const std::string hex = image.text("sha256");
    const auto hash = boot::sha256_from_hex(hex);
    if (!hash) return fail("the image " + image.text("name") + " has no SHA-256");
    const auto size = image.fields.value("size", std::uint64_t{0});
    const std::string place = catalogue.path_of(*hash);
    if (::access(place.c_str(), R_OK) == 0) return {};
    const std::string part_path = part_of(catalogue, hex);
    {
        auto part = Part::open(part_path);
        if (!part) return tl::unexpected(part.error());
        if (auto done = download(link, token, path + hex, *part, size); !done) return done;
    }
    const auto content = boot::hash_file(part_path);
    if (!content) return tl::unexpected(content.error());
    if (content->hash != *hash || content->size != size) {
        ::unlink(part_path.c_str());
        return fail("what came for the image " + image.text("name") +
                    " is not what was meant; fetching it anew");
    }
    if (auto durable = make_durable(part_path, O_RDONLY); !durable) return durable;
    if (::rename(part_path.c_str(), place.c_str()) != 0) return fail_errno("cannot publish " + place);
    return make_durable(catalogue.images_dir(), O_RDONLY | O_DIRECTORY);
}

void remove_parts(const boot::Catalogue& catalogue) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(catalogue.images_dir(), error), end;
         !error && entry != end; entry.increment(error))
        if (entry->path().filename().string().starts_with(kPrefix)) ::unlink(entry->path().c_str());
}

}  // namespace rouse::workers
