// rouse-mgmt --restore: what it becomes, what it refuses, and what kill -9 leaves of it.

#include "mgmt/maintenance/restore.hpp"

#include "mgmt/maintenance/check_store.hpp"
#include "shared/endian.hpp"
#include "tests/unit/maintenance/maintenance_fixture.hpp"

#include <chrono>
#include <random>
#include <thread>

#include <signal.h>
#include <sys/wait.h>

namespace rouse::maintenance {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class RestoreTest : public MaintenanceTest {
  protected:
    // BACKUP is refused for WHY, and the store is as it was.
    void expect_refused(const std::string& backup, const std::string& why) {
        const std::string before = data();
        const auto restored = restore(config_, backup);
        ASSERT_FALSE(restored) << why;
        EXPECT_THAT(restored.error().message, HasSubstr(why));
        EXPECT_TRUE(data() == before) << why;
        EXPECT_THAT(names_in(config_.lmdb_dir()), Each(testing::AnyOf("data.mdb", "lock.mdb"))) << why;
    }
};

TEST_F(RestoreTest, TheStoreIsTheBackupsAndTheFormerOneIsKept) {
    const auto backup = archive(files_of_backup());
    for (unsigned n = 4; n <= 9; ++n) ASSERT_TRUE(add_machine(machine(n)));
    stop();
    const std::string before = data();
    std::filesystem::remove(config_.images_dir() + "/" + hash_);

    const auto restored = restore(config_, backup);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(restored->made_at, "2026-11-30T00:00:00.000Z");
    EXPECT_EQ(restored->images, 1U);
    EXPECT_GE(restored->documents, 5U);
    EXPECT_THAT(restored->faults, IsEmpty());
    EXPECT_TRUE(content_of(restored->former) == before);
    EXPECT_TRUE(content_of(config_.images_dir() + "/" + hash_) == kImage);
    EXPECT_THAT(names_in(config_.images_dir()), Each(Not(StartsWith("."))));
    start();
    EXPECT_EQ(machines(), 3U);
    EXPECT_TRUE(check_opened(*store_, config_)->is_good());
}

TEST_F(RestoreTest, AnEmptyApplianceHasNoFormerStore) {
    const auto backup = archive(files_of_backup());
    config_.store.state_dir += "/second";
    const auto restored = restore(config_, backup);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(restored->former, "");
    const auto second = store::open_store(config_.lmdb_dir());
    EXPECT_EQ(*store::count(*second->snapshot(), store::kMachines), 3U);
}

TEST_F(RestoreTest, ItGetsAnotherIdentity) {
    ASSERT_TRUE(writer_->run([](store::Batch& batch) {
        return batch.put(batch.own().following, store::bytes_of(store::kIdentityKey),
                         store::bytes_of(std::string_view("that one")));
    }));
    const auto backup = archive(files_of_backup());
    stop();
    ASSERT_TRUE(restore(config_, backup));
    start();
    EXPECT_EQ(*store_->snapshot()->txn().get(store_->own().following, store::bytes_of(store::kIdentityKey)),
              std::nullopt);
}

TEST_F(RestoreTest, ABackupOfTheVersionBeforeIsMigrated) {
    ASSERT_TRUE(writer_->run([](store::Batch& batch) {
        const be32 before(store::kSchemaVersion - 1);
        return batch.put(batch.tables().meta, store::bytes_of(store::kSchemaVersionKey),
                         store::bytes_of(before));
    }));
    const auto backup = archive(files_of_backup());
    stop();
    ASSERT_TRUE(restore(config_, backup));
    const auto reading = store::Store::open_read_only(config_.lmdb_dir());
    EXPECT_TRUE(reading) << reading.error().message;
}

TEST_F(RestoreTest, WhatIsMissingAndCanBePutAgainIsTold) {
    auto files = files_of_backup();
    files.erase(std::string(kImagesPrefix) + hash_);
    const auto backup = archive(files);
    stop();
    std::filesystem::remove(config_.images_dir() + "/" + hash_);
    const auto restored = restore(config_, backup);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_THAT(restored->faults, Contains("the content of image vmlinuz is not there; put it again"));
}

TEST_F(RestoreTest, AStoreInUseIsNotTouched) {
    const auto backup = archive(files_of_backup());
    const auto busy = restore(config_, backup);
    ASSERT_FALSE(busy);
    EXPECT_THAT(busy.error().message, HasSubstr("is in use; stop rouse-mgmt and rouse-dataplane first"));
    EXPECT_EQ(machines(), 3U);
}

TEST_F(RestoreTest, WhatIsNotWholeIsRefused) {
    const auto good = files_of_backup();
    const std::string store(kStoreName);
    const std::string& bytes = good.at(store);
    ASSERT_TRUE(add_machine(machine(4)));
    ASSERT_TRUE(writer_->run([](store::Batch& batch) {
        const be32 newer(store::kSchemaVersion + 1);
        return batch.put(batch.tables().meta, store::bytes_of(store::kSchemaVersionKey),
                         store::bytes_of(newer));
    }));
    const auto newer = files_of_backup();
    ASSERT_TRUE(writer_->run([](store::Batch& batch) {
        const be32 now(store::kSchemaVersion);
        return batch.put(batch.tables().meta, store::bytes_of(store::kSchemaVersionKey),
                         store::bytes_of(now));
    }));
    ASSERT_TRUE(writer_->run([](store::Batch& batch) -> Result<void> {
        if (mdb_drop(batch.txn().raw(), batch.own().indices.handle, 0) != 0) return fail("cannot empty");
        return {};
    }));
    const auto contradicting = files_of_backup();
    stop();

    expect_refused(directory_.path() + "/nowhere", "refused");
    expect_refused(config_.lmdb_dir() + "/data.mdb", "refused");
    const std::string cut = R"({"format":"rouse-backup/1","made_at":"x","files":7})";
    expect_refused(archive(good, "{"), "its manifest is not of the format");
    expect_refused(archive(good, cut), "its manifest is not complete");
    expect_refused(archive({}), "it has no store/data.mdb");
    expect_refused(archive(newer), "run the rouse version that wrote it");
    expect_refused(archive(contradicting), "its store contradicts itself");
    expect_refused(archive({{store, "not a store, but as the manifest has it"}}), "nothing was changed");

    // Cut off at any place, and a bit turned anywhere in the store.
    const std::string tar = content_of(archive(good));
    const std::string broken = directory_.path() + "/broken.tar";
    for (const std::size_t keep : {std::size_t{0}, std::size_t{700}, bytes.size() / 2, bytes.size() + 3000}) {
        write_file(broken, tar.substr(0, keep));
        expect_refused(broken, "the backup is refused, nothing was changed");
    }
    std::string turned = tar;
    const auto at = tar.find(bytes.substr(0, 4096));
    ASSERT_NE(at, tar.npos);
    turned[at + bytes.size() / 2] ^= 1;
    write_file(broken, turned);
    expect_refused(broken, "store/data.mdb is not what the manifest says");
}

// kill -9 at a random instant of a restore, again and again: the store is the former one or the backup's.
TEST_F(RestoreTest, KilledAtAnyInstantItLeavesOneOrTheOther) {
    constexpr int kRounds = 30;
    constexpr std::size_t kOfBackup = 3, kOfFormer = 5;
    const auto backup = archive(files_of_backup());
    for (unsigned n = 4; n <= kOfFormer; ++n) ASSERT_TRUE(add_machine(machine(n)));
    const auto former = files_of_backup().at(std::string(kStoreName));
    stop();
    const auto begin_restore = [&] {
        write_file(config_.lmdb_dir() + "/data.mdb", former);
        const pid_t child = ::fork();
        if (child == 0) ::_exit(restore(config_, backup) ? 0 : 1);
        return child;
    };
    // How it ended; and then the store is looked at.
    std::size_t found = 0;
    const auto wait_for = [&](pid_t child) {
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "it was refused";
        start();
        found = machines();
        EXPECT_TRUE(store::check_documents(*store_->snapshot())->is_good());
        writer_.reset();
        store_.reset();
    };
    const auto began = std::chrono::steady_clock::now();
    wait_for(begin_restore());
    EXPECT_EQ(found, kOfBackup) << "nobody killed that one";
    const auto whole = std::chrono::steady_clock::now() - began;

    std::minstd_rand random(20261130);
    int were_former = 0;
    for (int round = 0; round < kRounds; ++round) {
        const pid_t child = begin_restore();
        std::this_thread::sleep_for(whole * (random() % 1000) / 1000);
        ::kill(child, SIGKILL);
        wait_for(child);
        ASSERT_TRUE(found == kOfBackup || found == kOfFormer) << found;
        if (found == kOfFormer) ++were_former;
    }
    EXPECT_GT(were_former, 0) << "none was killed in time";
    RecordProperty("were_former", were_former);
    // The next one clears away what they left.
    wait_for(begin_restore());
    EXPECT_EQ(found, kOfBackup);
    EXPECT_THAT(names_in(config_.lmdb_dir()), Each(Not(StartsWith(boot::Upload::kPrefix))));
}

}  // namespace
}  // namespace rouse::maintenance
