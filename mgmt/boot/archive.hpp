#pragma once
// An archive (tar, cpio, ISO 9660, zip, compressed or not) as contents for the catalogue and the names that
// they are to have. Links within the archive are followed: firmware knows none, so each becomes a name of its
// own for the same content. Nothing of the archive's paths, owners or modes reaches the file system.

#include "mgmt/boot/upload.hpp"
#include "mgmt/store/failure.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace rouse::boot {

struct ArchiveLimits {
    std::size_t entries = 20'000;                        // of the archive, and names that come of them
    std::uint64_t bytes = std::uint64_t{64} << 30;       // of all contents, unpacked
    std::uint64_t spare_bytes = std::uint64_t{1} << 30;  // of the disk, that an import leaves free
};

struct UnpackedArchive {
    struct File {
        std::string name;
        std::size_t content;  // index into `contents`
    };
    struct Skipped {
        std::string path;
        std::string reason;  // "is longer than ..."
    };
    std::vector<File> files;
    std::vector<Upload> contents;  // finished, not published; they go with this object
    std::vector<Skipped> skipped;  // what can have no name, and links that lead nowhere
};

// Blocking. Unpacks the archive in the file PATH into IMAGES_DIR; names begin with PREFIX and a slash, unless
// PREFIX is empty. Refuses as a whole what no honest archive holds: absolute paths, "..", devices, files
// below links, more than LIMITS.
[[nodiscard]] Outcome<UnpackedArchive> unpack_archive(const std::string& path, const std::string& images_dir,
                                                      const std::string& prefix,
                                                      const ArchiveLimits& limits = {});

}  // namespace rouse::boot
