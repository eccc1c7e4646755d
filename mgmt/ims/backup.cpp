#include "mgmt/ims/backup.hpp"

#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/scratch_directory.hpp"
#include "mgmt/maintenance/backup_format.hpp"
#include "mgmt/store/copy.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"
#include "shared/version.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse::ims {

using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::size_t kTarBlock = 512;

// An entry's header (POSIX.1-1988 ustar); sizes of 8 GiB and more in base 256, as GNU tar and libarchive read
// them.
std::string tar_header(std::string_view name, std::uint64_t size) {
    std::string block(kTarBlock, '\0');
    const auto put = [&block](std::size_t at, std::string_view text) {
        block.replace(at, text.size(), text);
    };
    char digits[16];
    put(0, name.substr(0, 100));
    put(100, "0000600");
    put(108, "0000000");
    put(116, "0000000");
    if (size < std::uint64_t{1} << 33) {
        std::snprintf(digits, sizeof digits, "%011llo", static_cast<unsigned long long>(size));
        put(124, digits);
    } else {
        block[124] = static_cast<char>(0x80);
        for (std::size_t i = 0; i < 8; ++i) block[135 - i] = static_cast<char>(size >> (8 * i));
    }
    std::snprintf(digits, sizeof digits, "%011llo",
                  static_cast<unsigned long long>(realtime_ns() / kNanosPerSecond));
    put(136, digits);
    put(148, "        ");
    put(156, "0");
    put(257, std::string_view("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    std::snprintf(digits, sizeof digits, "%06o", sum);
    put(148, std::string_view(digits, 7));
    return block;
}
std::size_t tar_padding(std::uint64_t size) {
    return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

struct File {
    std::string name;  // in the archive
    std::string path;  // empty: of the store's copy, which has no name any more
    std::string sha256;
    std::uint64_t size = 0;
};

// All that is to be sent, as it was at one moment.
struct Staged {
    std::shared_ptr<http::File> store;
    std::vector<File> files;
    std::string manifest;
};

// The contents that the copy names, each once.
Result<std::set<std::string>> hashes_in(const store::Store& copy) {
    std::set<std::string> hashes;
    const auto snapshot = copy.snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const auto listed =
        store::for_each(*snapshot, store::kImages, std::nullopt, [&hashes](const store::Document& image) {
            hashes.insert(image.text("sha256"));
            return true;
        });
    if (!listed) return tl::unexpected(listed.error());
    return hashes;
}

Result<void> add_images(const std::string& images_dir, const std::set<std::string>& hashes, Staged& staged) {
    for (const auto& hash : hashes) {
        std::error_code error;
        File file{std::string(kImagesPrefix) + hash, images_dir + "/" + hash, hash, 0};
        file.size = std::filesystem::file_size(file.path, error);
        if (error)
            return fail("the content " + hash + " of an image is not there (" + error.message() +
                        "); see which image it is with rousectl image verify, and put it again");
        staged.files.push_back(std::move(file));
    }
    return {};
}

void write_manifest(Staged& staged, bool with_images) {
    json files = json::array();
    for (const auto& file : staged.files)
        files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
    staged.manifest = json{{"format", kBackupFormat},
                           {"version", kVersion},
                           {"schema_version", store::kSchemaVersion},
                           {"made_at", store::to_timestamp(realtime_ns())},
                           {"images", with_images},
                           {"files", std::move(files)}}
                          .dump();
}

// Blocking.
Result<Staged> stage(const Services& services, bool with_images) {
    const auto& images_dir = services.catalogue.images_dir();
    auto scratch = ScratchDirectory::make(images_dir);
    if (!scratch) return tl::unexpected(scratch.error());
    const std::string path = scratch->path() + "/data.mdb";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail_errno("cannot write " + path);
    Staged staged{std::make_shared<http::File>(descriptor), {}, {}};
    store::Store& store = services.writer.store();
    if (auto copied = store::copy_store(store, descriptor); !copied) return tl::unexpected(copied.error());
    const auto content = boot::hash_file(path);
    if (!content) return tl::unexpected(content.error());
    staged.files.push_back({std::string(kStoreName), "", boot::to_hex(content->hash), content->size});
    if (with_images) {
        // It must stay what was summed.
        const auto copy = store::Store::open_read_only(scratch->path());
        if (!copy) return tl::unexpected(copy.error());
        const auto hashes = hashes_in(**copy);
        if (!hashes) return tl::unexpected(hashes.error());
        if (auto added = add_images(images_dir, *hashes, staged); !added)
            return tl::unexpected(added.error());
    }
    write_manifest(staged, with_images);
    return staged;
}

// What goes wrong from here on ends the connection, so that the client sees a short body and not a wrong one.
asio::awaitable<bool> send_file(const Services& services, const Staged& staged, const File& file,
                                http::ResponseStream& out) {
    std::shared_ptr<http::File> open = staged.store;
    if (!file.path.empty()) {
        const int descriptor = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) throw std::runtime_error("a backup was cut: " + file.name + " is gone");
        open = std::make_shared<http::File>(descriptor);
    }
    if (!co_await out.write(tar_header(file.name, file.size))) co_return false;
    std::string chunk;
    for (std::uint64_t offset = 0; offset < file.size; offset += chunk.size()) {
        chunk.resize(std::min<std::uint64_t>(kChunkBytes, file.size - offset));
        const ssize_t n = co_await run_on(services.disk, [&] {
            return ::pread(open->descriptor(), chunk.data(), chunk.size(), static_cast<off_t>(offset));
        });
        if (n <= 0) throw std::runtime_error("a backup was cut: " + file.name + " cannot be read");
        chunk.resize(static_cast<std::size_t>(n));
        if (!co_await out.write(chunk)) co_return false;
    }
    co_return co_await out.write(std::string(tar_padding(file.size), '\0'));
}

asio::awaitable<void> send(Services services, std::shared_ptr<const Staged> staged,
                           http::ResponseStream& out) {
    std::string manifest = tar_header(kManifestName, staged->manifest.size()) + staged->manifest;
    manifest.append(tar_padding(staged->manifest.size()), '\0');
    if (!co_await out.write(manifest)) co_return;
    for (const auto& file : staged->files)
        if (!co_await send_file(services, *staged, file, out)) co_return;
    co_await out.write(std::string(2 * kTarBlock, '\0'));
}

asio::awaitable<http::Outcome> get(const Services& services, const http::Request& request) {
    const bool with_images = request.query.find("images") == "true";
    auto staged = co_await run_on(services.disk, [&] { return stage(services, with_images); });
    if (!staged) co_return refused(staged.error());
    const auto shared = std::make_shared<const Staged>(std::move(*staged));
    auto response = http::Response::stream(
        [services, shared](http::ResponseStream& out) { return send(services, shared, out); },
        "application/x-tar");
    response.headers.add("Content-Disposition", "attachment; filename=\"rouse-backup.tar\"");
    co_return response;
}

}  // namespace

void add_backup(http::Router& router, const Services& services) {
    router.add({.method = http::Method::get,
                .pattern = "/api/backup/",
                .access = http::Access::of(http::Role::administrator),
                .tag = "Backup",
                .summary = "The whole store as a tar archive",
                .is_audited = true,  // it holds the hashes of all secrets
                .answer_media = {"application/x-tar"},
                .query = {{"images", "true: with the images' contents", "boolean"}},
                .failures = {http::Status::service_unavailable}},
               http::Handler([services](http::Request& request) { return get(services, request); }));
}

}  // namespace rouse::ims
