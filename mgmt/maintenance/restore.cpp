#include "mgmt/maintenance/restore.hpp"

#include "mgmt/boot/archive.hpp"
#include "mgmt/boot/consistency.hpp"
#include "mgmt/ims/scratch_directory.hpp"
#include "mgmt/maintenance/backup_format.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::maintenance {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormerPrefix = "former-";
constexpr mode_t kStoreMode = 0640;

using Files = std::map<std::string, boot::Upload*>;  // of the archive, by name

tl::unexpected<Error> not_whole(const std::string& why) {
    return fail("the backup is refused, nothing was changed: " + why);
}

Result<json> read_manifest(const Files& files) {
    const auto found = files.find(std::string(kManifestName));
    if (found == files.end()) return not_whole("it has no " + std::string(kManifestName));
    std::ifstream in(found->second->path(), std::ios::binary);
    json manifest = json::parse(in, nullptr, false);
    if (!manifest.is_object() || manifest.value("format", json()) != kBackupFormat)
        return not_whole("its manifest is not of the format " + std::string(kBackupFormat));
    if (!manifest.value("files", json()).is_array() || !manifest.value("made_at", json()).is_string())
        return not_whole("its manifest is not complete");
    return manifest;
}

// Every file that the manifest names is there, with the bytes that it had.
Result<void> check_files(const json& manifest, const Files& files) {
    for (const json& file : manifest.at("files")) {
        const json name = file.is_object() ? file.value("name", json()) : json();
        if (!name.is_string()) return not_whole("its manifest is malformed");
        const auto& text = name.get_ref<const std::string&>();
        const auto found = files.find(text);
        if (found == files.end()) return not_whole(text + " is missing, it is cut short");
        if (file.value("sha256", json()) != boot::to_hex(found->second->content().hash))
            return not_whole(text + " is not what the manifest says (SHA-256)");
    }
    if (!files.contains(std::string(kStoreName))) return not_whole("it has no " + std::string(kStoreName));
    return {};
}

Result<void> sync(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno("cannot open " + path);
    const int error = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    if (error != 0) return fail_errno("cannot make " + path + " durable", error);
    return {};
}

// Whoever followed the former store must not take this one's sequences for a continuation.
Result<void> forget_identity(store::Store& copy) {
    auto txn = copy.environment().begin(store::Access::read_write);
    if (!txn) return tl::unexpected(txn.error());
    if (auto removed = txn->remove(copy.own().following, store::bytes_of(store::kIdentityKey)); !removed)
        return tl::unexpected(removed.error());
    return txn->commit();
}

// Opens the store in DIRECTORY, which migrates an older one, and reads all of it.
Result<void> check_copy(const Config& config, const std::string& directory, Restored& restored) {
    auto copy = store::Store::open(directory, std::size_t{config.store.map_size_gib} << 30);
    if (!copy) return not_whole(copy.error().message);
    {
        const auto snapshot = (*copy)->snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        auto check = store::check_documents(*snapshot);
        if (!check) return not_whole(check.error().message);
        if (!check->is_good())
            return not_whole("its store contradicts itself in " +
                             std::to_string(check->faults.size() + check->untold) +
                             " places, such as: " + check->faults.front());
        const auto checked = boot::check_consistency(
            *snapshot, {.images_dir = config.images_dir(), .is_worker = config.worker.is_worker()}, *check);
        if (!checked) return not_whole(checked.error().message);
        for (const auto& count : check->counts) restored.documents += count.documents;
        restored.faults = std::move(check->faults);
    }
    return forget_identity(**copy);
}

// What restores that were cut off left in DIRECTORY: their work, and a second name of the store.
void remove_leftovers(const std::string& directory) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        const std::string name = entry.path().filename();
        const bool is_second_name =
            name.starts_with(kFormerPrefix) && fs::equivalent(entry.path(), directory + "/data.mdb", error);
        if (name.starts_with(boot::Upload::kPrefix) || is_second_name) fs::remove_all(entry.path(), error);
    }
}

// COPY, a data file beside the store in DIRECTORY, takes its place.
Result<void> replace(const std::string& directory, const std::string& copy, Restored& restored) {
    const std::string store = directory + "/data.mdb";
    if (auto synced = sync(copy); !synced) return synced;
    std::string former =
        directory + "/" + std::string(kFormerPrefix) + store::to_timestamp(realtime_ns()) + ".mdb";
    if (::link(store.c_str(), former.c_str()) == 0)
        restored.former = std::move(former);
    else if (errno != ENOENT)
        return fail_errno("cannot keep the former store as " + former);
    if (::rename(copy.c_str(), store.c_str()) != 0) return fail_errno("cannot replace " + store);
    return sync(directory);
}

Result<void> publish_images(Files& files, Restored& restored) {
    std::vector<boot::Upload> images;
    for (auto& [name, upload] : files)
        if (name == std::string(kImagesPrefix) + boot::to_hex(upload->content().hash))
            images.push_back(std::move(*upload));
    restored.images = images.size();
    return boot::Upload::publish(images);
}

Result<std::string> copy_store_file(const boot::Upload& upload, const std::string& directory) {
    std::string copy = directory + "/data.mdb";
    std::error_code error;
    fs::copy_file(upload.path(), copy, error);
    if (error) return fail("cannot copy the store to " + directory + ": " + error.message());
    if (::chmod(copy.c_str(), kStoreMode) != 0) return fail_errno("cannot give rights to " + copy);
    return copy;
}

}  // namespace

Result<Restored> restore(const Config& config, const std::string& file) {
    const std::string directory = config.lmdb_dir();
    std::error_code error;
    for (const auto& needed : {directory, config.images_dir()}) {
        fs::create_directories(needed, error);
        if (error) return fail("cannot create " + needed + ": " + error.message());
    }
    const auto alone = store::DirectoryLock::take(directory);
    if (!alone) return tl::unexpected(alone.error());
    remove_leftovers(directory);

    auto unpacked = boot::unpack_archive(file, config.images_dir(), "");
    if (!unpacked) return not_whole(unpacked.error().message);
    Files files;
    for (const auto& one : unpacked->files) files.emplace(one.name, &unpacked->contents[one.content]);
    const auto manifest = read_manifest(files);
    if (!manifest) return tl::unexpected(manifest.error());
    if (auto checked = check_files(*manifest, files); !checked) return tl::unexpected(checked.error());
    Restored restored{manifest->at("made_at").get<std::string>()};

    const auto scratch = ims::ScratchDirectory::make(directory);
    if (!scratch) return tl::unexpected(scratch.error());
    const auto copy = copy_store_file(*files.at(std::string(kStoreName)), scratch->path());
    if (!copy) return tl::unexpected(copy.error());
    // Contents are known by their hashes, so they may be there before the store that names them is.
    if (auto published = publish_images(files, restored); !published)
        return tl::unexpected(published.error());
    if (auto checked = check_copy(config, scratch->path(), restored); !checked)
        return tl::unexpected(checked.error());
    if (auto replaced = replace(directory, *copy, restored); !replaced)
        return tl::unexpected(replaced.error());
    return restored;
}

}  // namespace rouse::maintenance
