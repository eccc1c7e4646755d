#include "mgmt/boot/archive.hpp"

#include "mgmt/boot/archive_tree.hpp"
#include "mgmt/boot/image_name.hpp"

#include <map>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/statvfs.h>

namespace rouse::boot {
namespace {

using store::Sha256;

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

struct Free {
    void operator()(archive* handle) const noexcept { archive_read_free(handle); }
};
using Reader = std::unique_ptr<archive, Free>;

// libarchive gives names in the thread's character set: zip and ISO have them in Unicode, which the "C"
// locale cannot hold. Debian always has this one.
class Utf8Names {
  public:
    Utf8Names() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
    }
    Utf8Names(const Utf8Names&) = delete;
    Utf8Names& operator=(const Utf8Names&) = delete;
    ~Utf8Names() {
        if (utf8_ == nullptr) return;
        ::uselocale(before_);
        ::freelocale(utf8_);
    }

  private:
    locale_t utf8_;
    locale_t before_ = nullptr;
};

tl::unexpected<Failure> refuse_archive(const std::string& why) {
    return refuse(Failure::Kind::invalid, "the archive is refused: " + why);
}

// Only formats of known, bounded behaviour; libarchive has one (mtree) that reads any file it is told to.
Outcome<Reader> open(const std::string& path) {
    Reader reader(archive_read_new());
    archive* handle = reader.get();
    for (const auto enable :
         {archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_bzip2,
          archive_read_support_filter_zstd, archive_read_support_format_tar, archive_read_support_format_cpio,
          archive_read_support_format_iso9660, archive_read_support_format_zip})
        if (enable(handle) < ARCHIVE_WARN)
            return pass_on(Error{std::string("libarchive lacks a format: ") + archive_error_string(handle)});
    if (archive_read_open_filename(handle, path.c_str(), kBlockBytes) != ARCHIVE_OK)
        return refuse_archive("it is no tar, cpio, ISO 9660 or zip archive");
    return reader;
}

class Unpacker {
  public:
    Unpacker(const std::string& images_dir, const ArchiveLimits& limits)
        : images_dir_(images_dir), limits_(limits), block_(kBlockBytes) {}

    Outcome<void> run(archive* handle);
    Outcome<UnpackedArchive> name_all(const std::string& prefix);

  private:
    Outcome<void> take(archive* handle, archive_entry* entry);
    Outcome<void> take_hardlink(archive* handle, archive_entry* entry, const std::string& path);
    Outcome<std::size_t> take_content(archive* handle, const std::string& path);
    Outcome<void> check_room() const;
    void drop_unnamed();
    // The entry's place in the tree, or why the archive is refused.
    static Outcome<void> placed(const std::string& path, const Result<void>& result) {
        if (!result) return refuse_archive("\"" + path + "\" " + result.error().message);
        return {};
    }

    const std::string& images_dir_;
    const ArchiveLimits& limits_;
    std::vector<std::byte> block_;
    std::uint64_t bytes_ = 0;
    ArchiveTree tree_;
    UnpackedArchive out_;
};

Outcome<void> Unpacker::run(archive* handle) {
    for (std::size_t entries = 0;; ++entries) {
        archive_entry* entry = nullptr;
        const int result = archive_read_next_header(handle, &entry);
        if (result == ARCHIVE_EOF) return {};
        if (result < ARCHIVE_WARN)
            return refuse_archive(entries == 0
                                      ? "it is no tar, cpio, ISO 9660 or zip archive"
                                      : std::string("it is damaged: ") + archive_error_string(handle));
        if (entries == limits_.entries)
            return refuse_archive("it has more than " + std::to_string(limits_.entries) + " entries");
        if (auto taken = take(handle, entry); !taken) return taken;
    }
}

Outcome<void> Unpacker::take(archive* handle, archive_entry* entry) {
    const char* raw = archive_entry_pathname(entry);
    if (raw == nullptr) return refuse_archive("the name of an entry cannot be read");
    const std::string path = raw;
    if (archive_entry_is_encrypted(entry) != 0) return refuse_archive("\"" + path + "\" is encrypted");
    if (archive_entry_hardlink(entry) != nullptr) return take_hardlink(handle, entry, path);
    switch (archive_entry_filetype(entry)) {
        case AE_IFDIR:
            return placed(path, tree_.add_directory(path));
        case AE_IFLNK: {
            const char* target = archive_entry_symlink(entry);
            return placed(path, tree_.add_link(path, target == nullptr ? "" : target));
        }
        case AE_IFREG: {
            // Before its bytes are read.
            if (const auto split = ArchiveTree::split(path); !split)
                return refuse_archive("\"" + path + "\" " + split.error().message);
            const auto content = take_content(handle, path);
            if (!content) return pass_on(content.error());
            return placed(path, tree_.add_file(path, *content));
        }
        default:
            return refuse_archive("\"" + path + "\" is a device, a socket or a pipe");
    }
}

// The bytes are with the first of the names (tar), or with the last (cpio).
Outcome<void> Unpacker::take_hardlink(archive* handle, archive_entry* entry, const std::string& path) {
    const std::string first = archive_entry_hardlink(entry);
    auto content = tree_.file(first);
    if (!content)
        return refuse_archive("\"" + path + "\" is a link to \"" + first + "\", which is not there");
    if (archive_entry_size(entry) > 0) {
        const auto late = take_content(handle, path);
        if (!late) return pass_on(late.error());
        content = *late;
        if (auto added = placed(first, tree_.add_file(first, *late)); !added) return added;
    }
    return placed(path, tree_.add_file(path, *content));
}

Outcome<void> Unpacker::check_room() const {
    struct statvfs disk {};
    if (::statvfs(images_dir_.c_str(), &disk) != 0) return pass_on(Error{"cannot look at " + images_dir_});
    if (std::uint64_t{disk.f_bavail} * disk.f_frsize >= limits_.spare_bytes) return {};
    return refuse(Failure::Kind::store,
                  "the disk is nearly full; delete images or free space below the state directory");
}

Outcome<std::size_t> Unpacker::take_content(archive* handle, const std::string& path) {
    auto upload = Upload::begin(images_dir_);
    if (!upload) return pass_on(upload.error());
    for (;;) {
        const la_ssize_t n = archive_read_data(handle, block_.data(), block_.size());
        if (n < 0) return refuse_archive("\"" + path + "\" is damaged: " + archive_error_string(handle));
        if (n == 0) break;
        bytes_ += static_cast<std::uint64_t>(n);
        if (bytes_ > limits_.bytes)
            return refuse_archive("it unpacks to more than " + std::to_string(limits_.bytes) + " bytes");
        if (auto room = check_room(); !room) return pass_on(room.error());
        if (auto stored = upload->append(std::span(block_).first(static_cast<std::size_t>(n))); !stored)
            return pass_on(stored.error());
    }
    if (const auto finished = upload->finish(); !finished) return pass_on(finished.error());
    out_.contents.push_back(std::move(*upload));
    return out_.contents.size() - 1;
}

Outcome<UnpackedArchive> Unpacker::name_all(const std::string& prefix) {
    const bool all = tree_.walk(
        limits_.entries,
        [&](const std::string& path, std::size_t content) {
            std::string name = prefix.empty() ? path : prefix + "/" + path;
            if (const auto checked = check_image_name(name); !checked)
                out_.skipped.push_back({path, checked.error().message});
            else
                out_.files.push_back({std::move(name), content});
        },
        [&](const std::string& path, const std::string& reason) {
            out_.skipped.push_back({path, reason});
        });
    if (!all) return refuse_archive("its links make more than " + std::to_string(limits_.entries) + " names");
    if (out_.files.empty()) return refuse_archive("it holds no file that could be served");
    drop_unnamed();
    return std::move(out_);
}

// Contents that got no name (replaced by a later entry, or skipped) and those that are there twice:
// publishing them would leave files that nothing ever removes, or work for nothing.
void Unpacker::drop_unnamed() {
    std::vector<Upload> kept;
    std::map<Sha256, std::size_t> by_hash;
    for (auto& file : out_.files) {
        Upload& content = out_.contents[file.content];
        const auto [known, is_new] = by_hash.emplace(content.content().hash, kept.size());
        if (is_new) kept.push_back(std::move(content));
        file.content = known->second;
    }
    out_.contents = std::move(kept);
}

}  // namespace

Outcome<UnpackedArchive> unpack_archive(const std::string& path, const std::string& images_dir,
                                        const std::string& prefix, const ArchiveLimits& limits) {
    const Utf8Names names;
    auto reader = open(path);
    if (!reader) return pass_on(reader.error());
    Unpacker unpacker(images_dir, limits);
    if (auto unpacked = unpacker.run(reader->get()); !unpacked) return pass_on(unpacked.error());
    return unpacker.name_all(prefix);
}

}  // namespace rouse::boot
