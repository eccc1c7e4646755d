#include "mgmt/boot/archive.hpp"
#include "mgmt/boot/check_machines.hpp"
#include "mgmt/ims/backup.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/body_file.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/scratch_directory.hpp"
#include "mgmt/store/copy.hpp"

#include <atomic>
#include <fstream>
#include <map>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace rouse::ims {

using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

const http::Schema& restored_schema() {
    static const http::Schema schema(
        "Restored", "What an appliance has become",
        {http::timestamp("made_at", "when the backup was made").read_only(),
         http::integer("documents", "that it holds").read_only(),
         http::integer("images", "contents that came with it").read_only(),
         http::array(
             http::string("missing_images", "contents that are neither in it nor here; put them again"))
             .read_only()});
    return schema;
}

// Everything that a restore makes on its way; gone with it.
struct Restore {
    bool force = false;
    std::unique_ptr<boot::Upload> archive;
    boot::UnpackedArchive unpacked;
    std::optional<ScratchDirectory> scratch;
    std::unique_ptr<store::Store> copy;
    std::vector<boot::Upload> images;  // contents, to be published
    json manifest;
    json answer;
};

tl::unexpected<Failure> damaged(const std::string& why) {
    return refuse(Failure::Kind::invalid, "the backup is refused, nothing was changed: " + why);
}

// Replacing what an appliance is needs to be meant.
Outcome<void> check_empty(const store::View& view, bool force) {
    for (const auto* collection : {&store::kMachines, &store::kIpPools, &store::kImages}) {
        const auto count = store::count(view, *collection);
        if (!count) return pass_on(count.error());
        if (*count > 0 && !force)
            return refuse(Failure::Kind::conflict,
                          "this appliance is in use: it has " + std::to_string(*count) + " objects of kind " +
                              std::string(collection->noun) +
                              "; to replace all that it holds, say force=true (rousectl restore --force)");
    }
    return {};
}

Outcome<json> read_manifest(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    json manifest = json::parse(file, nullptr, false);
    if (!manifest.is_object() || manifest.value("format", json()) != kBackupFormat)
        return damaged("its manifest is not one of " + std::string(kBackupFormat));
    const auto files = manifest.find("files");
    if (files == manifest.end() || !files->is_array() || !manifest.value("made_at", json()).is_string())
        return damaged("its manifest is not complete");
    return manifest;
}

// Every file that the manifest names is there, with the bytes that it had.
Outcome<void> check_files(const json& manifest, const std::map<std::string, const boot::Upload*>& there) {
    for (const json& file : manifest.at("files")) {
        const json name = file.is_object() ? file.value("name", json()) : json();
        if (!name.is_string()) return damaged("its manifest is malformed");
        const auto found = there.find(name.get<std::string>());
        if (found == there.end()) return damaged(name.get<std::string>() + " is missing: it is cut short");
        if (file.value("sha256", json()) != boot::to_hex(found->second->content().hash))
            return damaged(name.get<std::string>() + " is not what the manifest says (SHA-256)");
    }
    return {};
}

// Opens the store of the backup, migrates it if it is an older one, and looks for contradictions.
Outcome<void> open_copy(const Services& services, const boot::Upload& data, Restore& restore) {
    auto scratch = ScratchDirectory::make(services.catalogue.images_dir());
    if (!scratch) return pass_on(scratch.error());
    restore.scratch.emplace(std::move(*scratch));
    const std::string path = restore.scratch->path() + "/data.mdb";
    if (::link(data.path().c_str(), path.c_str()) != 0)
        return pass_on(fail_errno("cannot link " + path).value());
    MDB_envinfo info{};
    mdb_env_info(services.writer.store().environment().raw(), &info);
    auto copy = store::Store::open(restore.scratch->path(), info.me_mapsize);
    if (!copy) return damaged(copy.error().message);
    restore.copy = std::move(*copy);
    const auto snapshot = restore.copy->snapshot();
    if (!snapshot) return pass_on(snapshot.error());
    auto check = store::check_documents(*snapshot);
    if (!check) return damaged(check.error().message);
    if (auto checked = boot::check_machines(*snapshot, *check); !checked)
        return damaged(checked.error().message);
    if (!check->faults.empty())
        return damaged("its store contradicts itself in " + std::to_string(check->faults.size()) +
                       " places, such as: " + check->faults.front());
    restore.answer["documents"] = check->documents;
    return {};
}

// Contents that the backup's names stand for and that are nowhere.
Outcome<void> note_missing(const Services& services, const std::map<std::string, const boot::Upload*>& there,
                           Restore& restore) {
    json missing = json::array();
    const auto snapshot = restore.copy->snapshot();
    if (!snapshot) return pass_on(snapshot.error());
    const auto listed =
        store::for_each(*snapshot, store::kImages, std::nullopt, [&](const store::Document& image) {
            const std::string hash = image.text("sha256");
            if (there.count(std::string(kImagesPrefix) + hash) == 0 &&
                ::access((services.catalogue.images_dir() + "/" + hash).c_str(), R_OK) != 0)
                missing.push_back(image.text("name"));
            return true;
        });
    if (!listed) return pass_on(listed.error());
    if (!missing.empty() && !restore.force)
        return refuse(Failure::Kind::conflict,
                      std::to_string(missing.size()) +
                          " images' contents are neither in the backup nor here, such as " +
                          missing.front().get<std::string>() +
                          "; make the backup with images (images=true, rousectl backup --images), or say "
                          "force=true and put them again");
    restore.answer["missing_images"] = std::move(missing);
    return {};
}

// Blocking. All that can be known before anything changes.
Outcome<void> verify(const Services& services, Restore& restore) {
    auto unpacked = boot::unpack_archive(restore.archive->path(), services.catalogue.images_dir(), "");
    if (!unpacked) return pass_on(unpacked.error());
    restore.unpacked = std::move(*unpacked);
    std::map<std::string, const boot::Upload*> there;
    for (const auto& file : restore.unpacked.files)
        there.emplace(file.name, &restore.unpacked.contents[file.content]);
    const auto manifest = there.find(std::string(kManifestName));
    if (manifest == there.end()) return damaged("it has no " + std::string(kManifestName));
    auto read = read_manifest(manifest->second->path());
    if (!read) return pass_on(read.error());
    restore.manifest = std::move(*read);
    if (auto checked = check_files(restore.manifest, there); !checked) return checked;
    const auto data = there.find(std::string(kStoreName));
    if (data == there.end()) return damaged("it has no " + std::string(kStoreName));
    if (auto opened = open_copy(services, *data->second, restore); !opened) return opened;
    if (auto noted = note_missing(services, there, restore); !noted) return noted;
    for (auto& file : restore.unpacked.files) {
        auto& content = restore.unpacked.contents[file.content];
        if (file.name == std::string(kImagesPrefix) + boot::to_hex(content.content().hash))
            restore.images.push_back(std::move(content));
    }
    restore.answer["made_at"] = restore.manifest.at("made_at");
    restore.answer["images"] = restore.images.size();
    return {};
}

// Inside an operation of the Writer.
Outcome<void> replace_everything(const Services& services, store::Batch& batch, const Restore& restore) {
    if (auto empty = check_empty(batch, restore.force); !empty) return empty;
    // One that was collected in the last instant is published again.
    for (const auto& image : restore.images)
        if (::access(services.catalogue.path_of(image.content().hash).c_str(), R_OK) != 0)
            return refuse(Failure::Kind::gone, "a content was collected meanwhile; try again");
    if (auto done = store::become(batch, *restore.copy); !done) return pass_on(done.error());
    return {};
}

asio::awaitable<http::OrProblem<void>> run(const Services& services, Request& request, Restore& restore) {
    restore.force = is_forced(request);
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return refused(snapshot.error());
        if (const auto empty = check_empty(*snapshot, restore.force); !empty)
            co_return refused(empty.error());
    }
    const auto received = co_await receive_file(services, request, restore.archive);
    if (!received) co_return tl::unexpected(received.error());
    const auto verified = co_await run_on(services.disk, [&] { return verify(services, restore); });
    if (!verified) co_return refused(verified.error());
    std::function<Outcome<void>(store::Batch&)> replace = [&](store::Batch& batch) {
        return replace_everything(services, batch, restore);
    };
    const auto replaced = co_await publish_files(services, restore.images, replace);
    if (!replaced) co_return refused(replaced.error());
    spdlog::warn("request {}: the appliance was restored from a backup of {}", request.id,
                 restore.manifest.at("made_at").get_ref<const std::string&>());
    // The appliance's own address may be another one here.
    const auto projected = co_await project_everything(services);
    if (!projected) co_return refused(projected.error());
    co_return http::OrProblem<void>{};
}

asio::awaitable<http::Outcome> post(const Services& services, std::shared_ptr<std::atomic<bool>> busy,
                                    Request& request) {
    if (busy->exchange(true))
        co_return http::problem(http::Status::conflict, "another restore is under way; wait for its end");
    auto restore = std::make_unique<Restore>();
    http::OrProblem<void> done;
    try {
        done = co_await run(services, request, *restore);
    } catch (...) {
        *busy = false;
        throw;
    }
    const json answer = restore->answer;
    co_await run_on(services.disk, [&] {  // removing large files takes its time
        restore.reset();
        return true;
    });
    *busy = false;
    if (!done) co_return tl::unexpected(done.error());
    co_return Response::json(answer);
}

}  // namespace

void add_restore(http::Router& router, const Services& services) {
    const auto busy = std::make_shared<std::atomic<bool>>(false);
    router.add({.method = http::Method::post,
                .pattern = "/api/restore/",
                .access = http::Access::of(http::Role::administrator),
                .tag = "Backup",
                .summary = "Become what the body, a backup, says: all of it or nothing; force=true: although "
                           "the appliance is in use, or images' contents are missing",
                .body = http::BodyKind::stream,
                .response = &restored_schema()},
               http::Handler([services, busy](Request& request) { return post(services, busy, request); }));
}

}  // namespace rouse::ims
