// rouse-mgmt --check-store: counts, what it finds, and its exit code.

#include "mgmt/maintenance/check_store.hpp"

#include "mgmt/boot/lease_book.hpp"
#include "tests/unit/maintenance/maintenance_fixture.hpp"

#include <sstream>

#include <sys/wait.h>

namespace rouse::maintenance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckStoreTest : public MaintenanceTest {
  protected:
    std::vector<std::string> faults() {
        const auto check = check_opened(*store_, config_);
        return check ? check->faults : std::vector{check.error().message};
    }
    // Writes past the rules.
    void damage(const std::function<Result<void>(store::Batch& batch)>& work) {
        const auto done = writer_->run(work);
        ASSERT_TRUE(done) << done.error().message;
    }
    store::Document first_machine() {
        return **store::find_by(*store_->snapshot(), store::kMachines, store::kMachineByMac,
                                boot::mac_text(1));
    }
};

TEST_F(CheckStoreTest, FindsNothingInWhatRequestsMade) {
    EXPECT_THAT(faults(), IsEmpty());
    EXPECT_TRUE(drop_machine(first_machine().id));
    EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(CheckStoreTest, FindsAMachineThatTheDataplaneDoesNotKnow) {
    damage([](store::Batch& batch) -> Result<void> {
        const auto removed =
            batch.remove(batch.tables().hosts, store::bytes_of(*MacAddress::parse(boot::mac_text(1))));
        return removed && *removed ? Result<void>() : fail("no such record");
    });
    EXPECT_THAT(faults(), ElementsAre("machine " + first_machine().id.to_string() +
                                      " has no host record, so the dataplane does not know it"));
}

TEST_F(CheckStoreTest, FindsAHostRecordWithoutItsMachineAndAMachineWithoutALease) {
    const auto machine = first_machine();
    const auto address = *Ipv4Address::parse(machine.text("ip"));
    damage([&](store::Batch& batch) { return boot::erase_lease(batch, address); });
    EXPECT_THAT(faults(), ElementsAre("machine " + machine.id.to_string() + " has no lease of its address"));
    const auto erased =
        writer_->run([&](store::Batch& batch) { return store::erase(batch, store::kMachines, machine.id); });
    ASSERT_TRUE(erased);
    EXPECT_THAT(faults(), ElementsAre("a host record is of machine " + machine.id.to_string() +
                                      ", which does not exist"));
}

TEST_F(CheckStoreTest, FindsReferencesThatLeadNowhere) {
    auto machine = first_machine();
    const std::string gone = store::Id::make().to_string();
    machine.fields["cluster"] = gone;
    machine.fields["boot_profile"] = "gone";
    const auto changed =
        writer_->run([&](store::Batch& batch) { return store::update(batch, store::kMachines, machine); });
    ASSERT_TRUE(changed);
    const std::string what = "machine " + machine.id.to_string() + " names the ";
    EXPECT_THAT(faults(), ElementsAre(what + "cluster " + gone + ", which does not exist",
                                      what + "boot-profile gone, which does not exist"));
    config_.worker.role = "worker";
    EXPECT_THAT(faults(), IsEmpty()) << "a worker has of each thing what it serves";
}

TEST_F(CheckStoreTest, FindsContentsThatAreGoneOrCut) {
    const std::string path = config_.images_dir() + "/" + hash_;
    std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::filesystem::resize_file(path, 10);
    EXPECT_THAT(faults(),
                ElementsAre("the content of image vmlinuz has another size than it had; put it again"));
    std::filesystem::remove(path);
    EXPECT_THAT(faults(), ElementsAre("the content of image vmlinuz is not there; put it again"));
}

// The command itself, which forks: output by way of files.
struct Told {
    int code;
    std::string out, err;
};
Told tell(const Config& config) {
    const std::string out = config.store.state_dir + "/out", err = config.store.state_dir + "/err";
    std::ofstream out_file(out), err_file(err);
    const int code = check_store(config, out_file, err_file);
    return {code, content_of(out), content_of(err)};
}

TEST_F(CheckStoreTest, TheCommandCountsBesideARunningWriter) {
    const auto told = tell(config_);
    EXPECT_EQ(told.code, 0) << told.err;
    EXPECT_THAT(told.out, HasSubstr("machine                 3\n"));
    EXPECT_THAT(told.out, HasSubstr("ip-pool                 1\n"));
    EXPECT_THAT(told.out, HasSubstr("the store is consistent\n"));
}

TEST_F(CheckStoreTest, TheCommandTellsOfFaultsAndFails) {
    std::filesystem::remove(config_.images_dir() + "/" + hash_);
    const auto told = tell(config_);
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.out,
                HasSubstr("fault: the content of image vmlinuz is not there; put it again\n1 faults;"));
}

TEST_F(CheckStoreTest, ADataFileThatIsCutIsToldOfAndNotDiedOf) {
    stop();
    std::filesystem::resize_file(config_.lmdb_dir() + "/data.mdb", 2 * 4096);  // LMDB's meta pages alone
    const auto told = tell(config_);
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.err, HasSubstr("restore a backup with rouse-mgmt --restore"));
}

TEST_F(CheckStoreTest, NoStoreIsAnError) {
    config_.store.state_dir += "/nowhere";
    std::filesystem::create_directories(config_.store.state_dir);
    const auto told = tell(config_);
    EXPECT_EQ(told.code, 1);
    EXPECT_THAT(told.err, HasSubstr("cannot open the store in " + config_.lmdb_dir()));
}

}  // namespace
}  // namespace rouse::maintenance
