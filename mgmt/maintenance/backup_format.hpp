#pragma once
// The whole appliance as one tar archive:
//
//   manifest.json    format, version, schema and, of all that follows, sizes and SHA-256
//   store/data.mdb   the store as it was at one moment
//   images/SHA256    contents of images, if asked for
//
// The keys that sign tokens are not in it: who has a backup can be nobody with it.

#include <string_view>

namespace rouse {

inline constexpr std::string_view kBackupFormat = "rouse-backup/1";
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kStoreName = "store/data.mdb";
inline constexpr std::string_view kImagesPrefix = "images/";

}  // namespace rouse
