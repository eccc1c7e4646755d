#pragma once
// An appliance's state with a pool, machines and an image, and backups of it as the API makes them.

#include "mgmt/boot/sha256.hpp"
#include "mgmt/maintenance/backup_format.hpp"
#include "mgmt/store/copy.hpp"
#include "shared/config.hpp"
#include "tests/unit/boot/archive_builder.hpp"
#include "tests/unit/boot/boot_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace rouse::maintenance {

using nlohmann::json;

inline std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

class MaintenanceTest : public boot::BootTest {
  protected:
    MaintenanceTest() {
        config_.store.state_dir = directory_.path();
        config_.store.map_size_gib = 1;
        catalogue_.emplace(*boot::Catalogue::open(config_.images_dir(), *writer_));
        EXPECT_TRUE(
            add_pool({{"cidr", "10.77.0.0/16"}, {"range_start", "10.77.1.1"}, {"range_end", "10.77.9.9"}}));
        for (unsigned n = 1; n <= 3; ++n) EXPECT_TRUE(add_machine(machine(n)));
        put_image("vmlinuz", kImage);
    }
    void put_image(const std::string& name, const std::string& bytes) {
        auto upload = boot::Upload::begin(config_.images_dir());
        EXPECT_TRUE(upload->append(store::bytes_of(bytes)));
        const auto content = upload->finish();
        EXPECT_TRUE(upload->publish());
        hash_ = boot::to_hex(content->hash);
        EXPECT_TRUE(
            writer_->run([&](store::Batch& batch) { return catalogue_->name(batch, name, *content); }));
    }
    // The files of a backup, without its manifest.
    std::map<std::string, std::string> files_of_backup() {
        const std::string copy = directory_.path() + "/copy";
        const int descriptor = ::open(copy.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        EXPECT_TRUE(store::copy_store(*store_, descriptor));
        ::close(descriptor);
        return {{std::string(kStoreName), content_of(copy)}, {std::string(kImagesPrefix) + hash_, kImage}};
    }
    // With a manifest that fits; its path.
    std::string archive(const std::map<std::string, std::string>& files) {
        json listed = json::array();
        for (const auto& [name, bytes] : files) {
            write_file(directory_.path() + "/one", bytes);
            const auto content = boot::hash_file(directory_.path() + "/one");
            listed.push_back(
                {{"name", name}, {"size", bytes.size()}, {"sha256", boot::to_hex(content->hash)}});
        }
        const json manifest{
            {"format", kBackupFormat}, {"made_at", "2026-11-30T00:00:00.000Z"}, {"files", listed}};
        return archive(files, manifest.dump());
    }
    std::string archive(const std::map<std::string, std::string>& files, const std::string& manifest) {
        boot::ArchiveBuilder builder(directory_.path() + "/backup.tar");
        builder.file(std::string(kManifestName), manifest);
        for (const auto& [name, bytes] : files) builder.file(name, bytes);
        return builder.done();
    }
    void stop() {
        catalogue_.reset();
        writer_.reset();
        store_.reset();
    }
    void start() {
        store_ = store::open_store(config_.lmdb_dir());
        writer_ = std::make_unique<store::Writer>(*store_);
    }
    [[nodiscard]] std::size_t machines() const {
        return *store::count(*store_->snapshot(), store::kMachines);
    }
    [[nodiscard]] std::string data() const { return content_of(config_.lmdb_dir() + "/data.mdb"); }
    [[nodiscard]] std::vector<std::string> names_in(const std::string& directory) const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(directory))
            names.push_back(entry.path().filename());
        return names;
    }

    const std::string kImage = std::string(100'000, 'k');
    Config config_;
    std::optional<boot::Catalogue> catalogue_;
    std::string hash_;  // of the image's content
};

}  // namespace rouse::maintenance
