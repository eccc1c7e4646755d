// A centre's API and a worker's replica of it, joined by the feed: what the one says is what the other
// serves.

#include "mgmt/boot/serving.hpp"
#include "mgmt/boot/upload.hpp"
#include "mgmt/events/recorder.hpp"
#include "mgmt/events/reported.hpp"
#include "mgmt/workers/feed.hpp"
#include "mgmt/workers/racks.hpp"
#include "mgmt/workers/replica.hpp"
#include "shared/store/tenure.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <random>

namespace rouse::ims {
namespace {

using namespace store;  // NOLINT(google-build-using-namespace)

class Following : public ApiTest {
  protected:
    Following() {
        appliance_.introduce("centre", false);
        here_.introduce("w1", true);
        std::filesystem::create_directories(worker_run_);
        worker_consumer_ = events::Consumer::create(*worker_writer_, here_, worker_run_).value();
        EXPECT_TRUE(writer_->run([](Batch& batch) { return workers::ensure_identity(batch); }));
        for (const char* id : {"w1", "w2"}) make("/api/ims-worker/", {{"worker_id", id}});
        beat("w1");
        beat("w2");
        make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}, {"unknown_machines", "serve"}});
    }
    ~Following() override {
        worker_consumer_.reset();
        std::filesystem::remove_all(worker_run_);
    }

    void beat(const std::string& id) {
        EXPECT_EQ(post("/api/ims-worker/heartbeat/", {{"worker_id", id}}).code, 200U);
    }
    json rack(const std::string& name, const std::string& worker = "w1", const std::string& standby = "w2") {
        return make("/api/cluster/", {{"name", name}, {"worker", worker}, {"standby", standby}});
    }
    json machine(unsigned n, const json& cluster) {
        return make("/api/machines/",
                    {{"hostname", "node" + std::to_string(n)}, {"mac", mac(n)}, {"cluster", cluster["id"]}});
    }
    static std::string mac(unsigned n) {
        return MacAddress{{2, 0, 0, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}}
            .to_string();
    }

    // What the worker asks for until there is no more; LIMIT documents at a time.
    void follow(std::size_t limit = 3) {
        workers::Seen seen;
        std::uint64_t walked = 0;
        for (unsigned turns = 0; turns < 1000; ++turns) {
            const auto known = workers::read_following(*worker_store_->snapshot()).value();
            const workers::FeedQuery query{.worker = "w1",
                                           .after = walked != 0 ? walked : known.sequence,
                                           .epoch = known.epoch,
                                           .mark = known.mark,
                                           .tenure_seconds = 60,
                                           .limit = limit};
            const auto answer = workers::feed_answer(*store_->snapshot(), query).value();
            const json news = json::parse(answer.text);
            services_->roster.answered("w1", answer.sequence);
            if (walked != 0 || news["complete"].get<bool>()) workers::note_seen(news, seen);
            const auto applied = worker_writer_->run([&](Batch& batch) {
                return workers::apply_answer(batch, here_, worker_catalogue_, news, seen, 1000);
            });
            ASSERT_TRUE(applied) << applied.error().message;
            const bool walks = news["more"].get<bool>() && (walked != 0 || news["complete"].get<bool>());
            walked = walks ? news["sequence"].get<std::uint64_t>() : 0;
            if (!walks) seen.clear();
            if (!news["more"].get<bool>()) break;
        }
        confirm();
    }
    void confirm() {
        const auto known = workers::read_following(*worker_store_->snapshot()).value();
        EXPECT_TRUE(
            writer_->run([&](Batch& batch) { return boot::set_confirmed(batch, "w1", known.sequence); }));
    }
    std::optional<HostRecord> worker_host(unsigned n) {
        return *worker_store_->snapshot()->record<HostRecord>(worker_store_->tables().hosts,
                                                              bytes_of(*MacAddress::parse(mac(n))));
    }
    std::size_t worker_count(const Collection& collection) {
        return count(*worker_store_->snapshot(), collection).value();
    }
    // The rack's holder is lost, and whoever is left takes it over.
    void lose(const std::string& id) {
        services_->roster.forget(id);
        services_->roster.enrolled(id);
        decide();
    }
    void decide() {
        const workers::Centre centre{appliance_, services_->roster, consumer_->tables()};
        const auto decided = writer_->run([&](Batch& batch) { return workers::decide_all(batch, centre); });
        ASSERT_TRUE(decided) << decided.error().message;
    }

    TemporaryDirectory worker_directory_;
    std::unique_ptr<Store> worker_store_ = open_store(worker_directory_.path() + "/lmdb");
    std::unique_ptr<Writer> worker_writer_ = std::make_unique<Writer>(*worker_store_);
    boot::Catalogue worker_catalogue_ =
        boot::Catalogue::open(worker_directory_.path() + "/images", *worker_writer_).value();
    boot::Appliance here_{*Ipv4Address::parse("10.77.0.2")};
    std::string worker_run_ = run_dir_ + "-worker";
    std::unique_ptr<events::Consumer> worker_consumer_;
};

TEST_F(Following, AMachineIsServedByItsWorkerAloneAndWithTheCentresAddress) {
    const json mine = rack("r1");
    const json other = machine(2, make("/api/cluster/", {{"name", "own"}}));
    const json made = machine(1, mine);
    follow();
    EXPECT_FALSE(host(mac(1))) << "the centre is silent";
    ASSERT_TRUE(worker_host(1));
    EXPECT_EQ(worker_host(1)->address.to_string(), made["ip"]);
    EXPECT_EQ(std::string(worker_host(1)->machine_id.data(), 36), made["id"]);
    EXPECT_TRUE(host(mac(2)));
    EXPECT_FALSE(worker_host(2));
    EXPECT_EQ(worker_count(kMachines), 1U);
    const auto lease = worker_store_->snapshot()->record<LeaseRecord>(
        worker_store_->tables().leases, bytes_of(*Ipv4Address::parse(made["ip"].get<std::string>())));
    ASSERT_TRUE(lease && *lease);
    EXPECT_EQ((*lease)->mac.to_string(), mac(1));
    const auto network =
        worker_store_->snapshot()->record<NetworkRecord>(worker_store_->tables().networks, bytes_of(be32(1)));
    ASSERT_TRUE(network && *network);
    EXPECT_FALSE((*network)->serves_unknown()) << "guests' addresses are not planned here";
    const auto tenure = worker_store_->snapshot()->record<TenureRecord>(worker_store_->tables().switches,
                                                                        bytes_of(kDataplaneTenure));
    EXPECT_EQ((*tenure)->until_unix, 1000U);
    EXPECT_FALSE(other.empty());
}

TEST_F(Following, AStandbyHasItAllAndServesNothing) {
    const json mine = rack("r1", "w2", "w1");
    const json made = machine(1, mine);
    follow();
    EXPECT_EQ(worker_count(kMachines), 1U);
    EXPECT_FALSE(worker_host(1));
    lose("w2");
    EXPECT_EQ(get(path("/api/cluster/", mine)).body()["served_by"], "w1");
    EXPECT_EQ(get(path("/api/cluster/", mine)).body()["assignment"], "taken_over");
    follow();
    ASSERT_TRUE(worker_host(1));
    EXPECT_EQ(worker_host(1)->address.to_string(), made["ip"]);
    const std::string timeline = events::read_timeline(*store_->snapshot(), consumer_->tables(),
                                                       *Id::parse(made["id"].get<std::string>()), 0, 10)
                                     ->json;
    EXPECT_EQ(json::parse(timeline)[0]["event"], "taken_over");
}

TEST_F(Following, WhileAFenceStandsNoAnswerChanges) {
    const json mine = rack("r1");
    const json made = machine(1, mine);
    follow();
    // Handed on while it cannot hear.
    EXPECT_EQ(patch(path("/api/cluster/", mine), {{"worker", "w2"}, {"standby", "w1"}}).code, 200U);
    const json fenced = get(path("/api/cluster/", mine)).body();
    EXPECT_EQ(fenced["served_by"], "w2");
    EXPECT_TRUE(fenced["fenced_until"].is_string());
    EXPECT_EQ(patch(path("/api/machines/", made), {{"ip", "10.77.9.9"}}).code, 409U);
    EXPECT_EQ(patch(path("/api/machines/", made), {{"mac", mac(9)}}).code, 409U);
    EXPECT_EQ(patch(path("/api/machines/", made), {{"cluster", nullptr}}).code, 409U);
    EXPECT_EQ(remove(path("/api/machines/", made)).code, 409U);
    EXPECT_EQ(patch(path("/api/machines/", made), {{"role", "WORKER"}}).code, 200U);
    ASSERT_TRUE(worker_host(1)) << "it goes on with what it knew";

    follow();
    EXPECT_FALSE(worker_host(1));
    decide();
    EXPECT_TRUE(get(path("/api/cluster/", mine)).body()["fenced_until"].is_null());
    EXPECT_EQ(patch(path("/api/machines/", made), {{"ip", "10.77.9.9"}}).code, 200U);
}

TEST_F(Following, AnAnswerThatTheLostWorkerNeverHeardOfIsHeldBack) {
    const json mine = rack("r1");
    const json one = machine(1, mine), two = machine(2, mine);
    follow();
    EXPECT_EQ(patch(path("/api/machines/", one), {{"ip", "10.77.9.9"}}).code, 200U);  // not heard of
    EXPECT_EQ(patch(path("/api/cluster/", mine), {{"worker", "centre"}, {"standby", "w1"}}).code, 200U);
    EXPECT_FALSE(host(mac(1))) << "w1 may answer otherwise";
    EXPECT_TRUE(host(mac(2)));
    follow();
    decide();
    EXPECT_EQ(get(path("/api/machines/", one)).body()["ip"], "10.77.9.9");
}

TEST_F(Following, MachinesThatLeaveOrAreDeletedGoAtTheWorkerToo) {
    const json mine = rack("r1"), own = make("/api/cluster/", {{"name", "own"}});
    const json one = machine(1, mine), two = machine(2, mine), three = machine(3, mine);
    follow();
    EXPECT_EQ(worker_count(kMachines), 3U);
    EXPECT_EQ(patch(path("/api/machines/", one), {{"cluster", own["id"]}}).code, 200U);
    EXPECT_EQ(remove(path("/api/machines/", two)).code, 204U);
    follow();
    EXPECT_EQ(worker_count(kMachines), 1U);
    EXPECT_FALSE(worker_host(1));
    EXPECT_FALSE(worker_host(2));
    EXPECT_TRUE(worker_host(3));
    EXPECT_EQ(patch(path("/api/cluster/", mine), {{"worker", nullptr}, {"standby", nullptr}}).code, 200U);
    follow();
    EXPECT_EQ(worker_count(kMachines), 0U);
    EXPECT_EQ(worker_count(kClusters), 0U);
    EXPECT_TRUE(host(mac(3))) << "the centre serves it again";
    EXPECT_FALSE(three.empty());
}

TEST_F(Following, HardwareAddressesMayBeSwapped) {
    const json mine = rack("r1");
    const json one = machine(1, mine), two = machine(2, mine);
    follow();
    EXPECT_EQ(patch(path("/api/machines/", one), {{"mac", mac(9)}}).code, 200U);
    EXPECT_EQ(patch(path("/api/machines/", two), {{"mac", mac(1)}}).code, 200U);
    EXPECT_EQ(patch(path("/api/machines/", one), {{"mac", mac(2)}}).code, 200U);
    follow(1);
    EXPECT_EQ(worker_host(2)->address.to_string(), one["ip"]);
    EXPECT_EQ(worker_host(1)->address.to_string(), two["ip"]);
    EXPECT_FALSE(worker_host(9));
}

TEST_F(Following, WhatTheWorkerFoundOutStaysAndGoesUpOnce) {
    const json mine = rack("r1");
    const json made = machine(1, mine);
    const Id id = *Id::parse(made["id"].get<std::string>());
    follow();
    events::AgentNews news{.machine = id, .trigger = events::BootTrigger::home_report, .text = "agent home"};
    news.hardware = {{"memory_bytes", 1024}};
    ASSERT_TRUE(worker_writer_->run(
        [&](Batch& batch) { return events::apply_agent_news(batch, worker_consumer_->tables(), news); }));
    EXPECT_EQ(patch(path("/api/machines/", made), {{"role", "WORKER"}}).code, 200U);
    follow();
    const auto here = find(*worker_store_->snapshot(), kMachines, id).value();
    EXPECT_EQ(here->text("status"), "ACTIVE") << "the centre does not know better";
    EXPECT_EQ(here->text("role"), "WORKER");

    const auto machines = events::untold(*worker_store_->snapshot(), worker_consumer_->tables(), 10).value();
    ASSERT_EQ(machines.size(), 1U);
    const json report{{"worker_id", "w1"}, {"instance", Id::make().to_string()}, {"machines", machines}};
    for (unsigned i = 0; i < 2; ++i) {  // the first answer may have been lost
        const auto told = post("/api/ims-worker/report_timelines/", report);
        EXPECT_EQ(told.code, 204U) << told.text;
    }
    const json there = get(path("/api/machines/", made)).body();
    EXPECT_EQ(there["status"], "ACTIVE");
    EXPECT_EQ(there["hardware"]["memory_bytes"], 1024);
    const json timeline =
        json::parse(events::read_timeline(*store_->snapshot(), consumer_->tables(), id, 0, 10)->json);
    ASSERT_EQ(timeline.size(), 1U);
    EXPECT_EQ(timeline[0]["event"], "agent_home");
    EXPECT_EQ(timeline[0]["details"]["appliance"], "w1");
    EXPECT_EQ(get(path("/api/cluster/", mine)).body()["status"], "OPERATIONAL");
    ASSERT_TRUE(worker_writer_->run(
        [&](Batch& batch) { return events::note_told(batch, worker_consumer_->tables(), machines); }));
    EXPECT_TRUE(events::untold(*worker_store_->snapshot(), worker_consumer_->tables(), 10)->empty());
}

TEST_F(Following, ImagesAreNamedOnceTheirContentIsHere) {
    const auto put = call(Method::put, "/api/images/loader.efi", "bytes of a loader");
    ASSERT_EQ(put.code, 201U) << put.text;
    follow();
    EXPECT_EQ(worker_count(kImages), 0U);
    const auto wanted = workers::wanted_images(*worker_store_->snapshot()).value();
    ASSERT_EQ(wanted.size(), 1U);
    EXPECT_EQ(wanted[0].text("sha256"), put.body()["sha256"]);
    const auto name = [&] {
        return worker_writer_->run(
            [&](Batch& batch) { return workers::have_image(batch, worker_catalogue_, wanted[0]); });
    };
    EXPECT_FALSE(name()) << "it is not here";
    std::filesystem::copy(catalogue_.images_dir() + "/" + wanted[0].text("sha256"),
                          worker_catalogue_.images_dir());
    ASSERT_TRUE(name());
    EXPECT_EQ(worker_count(kImages), 1U);
    EXPECT_TRUE(workers::wanted_images(*worker_store_->snapshot())->empty());
    EXPECT_EQ(remove("/api/images/loader.efi").code, 204U);
    follow();
    EXPECT_EQ(worker_count(kImages), 0U);
}

TEST_F(Following, WhoHasNothingOrAnotherStoresNumbersWalksThroughAll) {
    const json mine = rack("r1");
    machine(1, mine);
    follow();
    // A document that the centre does not have, as after a restored backup.
    ASSERT_TRUE(worker_writer_->run([](Batch& batch) {
        return insert(batch, kBootProfiles, {{"name", "stale"}, {"_profile", 77}});
    }));
    ASSERT_TRUE(worker_writer_->run([](Batch& batch) -> Result<void> {
        auto known = workers::read_following(batch);
        known->epoch = Id::make().to_string();
        return workers::write_following(batch, *known);
    }));
    follow(1);
    EXPECT_EQ(worker_count(kBootProfiles), 0U);
    EXPECT_TRUE(worker_host(1));
}

// After any changes, the worker serves exactly the machines of its racks, with the centre's addresses.
TEST_F(Following, IsTheSameAfterAnyHistory) {
    std::mt19937 dice(7);
    std::vector<json> racks{rack("r1"), rack("r2", "w2", "w1"), rack("r3", "w2", ""),
                            make("/api/cluster/", {{"name", "own"}})};
    std::vector<json> machines;
    unsigned next = 1;
    for (unsigned round = 0; round < 60; ++round) {
        for (unsigned i = 0; i < 4; ++i) {
            const auto at = machines.empty() ? 0 : dice() % machines.size();
            const auto what = dice() % 5;
            if (machines.empty() || what < 2) {
                machines.push_back(machine(next++, racks[dice() % racks.size()]));
            } else if (what == 2) {
                if (remove(path("/api/machines/", machines[at])).code == 204)
                    machines.erase(machines.begin() + static_cast<std::ptrdiff_t>(at));
            } else if (what == 3) {
                patch(path("/api/machines/", machines[at]),
                      {{"cluster", racks[dice() % racks.size()]["id"]}});
            } else {
                patch(path("/api/machines/", machines[at]),
                      {{"ip", "10.77.5." + std::to_string(1 + dice() % 200)}});
            }
        }
        if (dice() % 2 != 0) follow(1 + dice() % 4);
    }
    follow();
    decide();
    follow();
    std::size_t served = 0;
    for (const json& one : machines) {
        const json now = get(path("/api/machines/", one)).body();
        const json cluster = get("/api/cluster/" + now["cluster"].get<std::string>() + "/").body();
        const auto here = *worker_store_->snapshot()->record<HostRecord>(
            worker_store_->tables().hosts, bytes_of(*MacAddress::parse(now["mac"].get<std::string>())));
        const bool is_mine = cluster.value("served_by", json()) == "w1";
        EXPECT_EQ(here.has_value(), is_mine) << now.dump();
        if (here) {
            EXPECT_EQ(here->address.to_string(), now["ip"]);
        }
        served += is_mine ? 1 : 0;
    }
    EXPECT_GT(served, 0U);
    EXPECT_EQ(worker_store_->snapshot()->txn().count(worker_store_->tables().hosts).value(), served);
}

}  // namespace
}  // namespace rouse::ims
