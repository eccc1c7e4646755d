#include "mgmt/events/consumer.hpp"

#include "tests/unit/events/rack.hpp"

#include <chrono>
#include <functional>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rouse::events {
namespace {

std::uint64_t g_now = kNoon;
std::uint64_t fake_now() noexcept {
    return g_now;
}

// Shared memory belongs on tmpfs.
class RunDirectory {
  public:
    RunDirectory() : path_("/dev/shm/rouse-events-test-" + std::to_string(::getpid())) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~RunDirectory() { std::filesystem::remove_all(path_); }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// The dataplane's side of one ring.
struct Dataplane {
    explicit Dataplane(const std::string& run_dir, unsigned worker = 0)
        : segment(open_event_ring(run_dir, worker).value()), producer(*segment) {}
    SharedMemory<EventRingLayout> segment;
    EventProducer producer;
};

class Consuming : public RackTest {
  protected:
    void SetUp() override {
        RackTest::SetUp();
        g_now = kNoon;
    }
    std::unique_ptr<Consumer> consumer() {
        return Consumer::create(*writer_, appliance_, run_.path(), fake_now).value();
    }
    static std::size_t drain(Consumer& consumer) {
        std::size_t total = 0;
        for (int rounds = 0; rounds < 1000; ++rounds) {
            const auto n = consumer.turn();
            EXPECT_TRUE(n) << n.error().message;
            if (!n || *n == 0) break;
            total += *n;
        }
        return total;
    }
    static std::uint64_t unreleased(const Dataplane& dataplane) {
        return dataplane.segment->head.load() - dataplane.segment->tail.load();
    }
    RunDirectory run_;
};

TEST_F(Consuming, ReleasesWhatItApplied) {
    const auto machine = add_machine(1);
    const auto reader = consumer();
    Dataplane dataplane(run_.path());
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(dataplane.producer.push(discover(ClientKind::pxe, mac_of(1))));
    EXPECT_EQ(drain(*reader), 3U);
    EXPECT_EQ(timeline(machine).size(), 3U);
    EXPECT_EQ(unreleased(dataplane), 0U);
    EXPECT_EQ(reader->statistics().events, 3U);
    EXPECT_EQ(reader->statistics().batches, 1U);
    EXPECT_EQ(drain(*reader), 0U);
}

TEST_F(Consuming, ACrashBetweenCommitAndReleaseAppliesNothingTwice) {
    const auto machine = add_machine(1);
    Dataplane dataplane(run_.path());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(dataplane.producer.push(discover(ClientKind::pxe, mac_of(1))));
    {
        EventConsumer dies(*dataplane.segment, 42);
        std::vector<Event> events(3);
        ASSERT_EQ(dies.peek(events), 3U);
        apply_as_they_are(events, dies.identity());  // committed, never released
    }
    EXPECT_EQ(unreleased(dataplane), 5U);
    const auto reader = consumer();
    EXPECT_EQ(drain(*reader), 5U);
    EXPECT_EQ(timeline(machine).size(), 5U);
    EXPECT_EQ(unreleased(dataplane), 0U);
}

TEST_F(Consuming, ARingLostWithItsTmpfsBeginsAnew) {
    const auto machine = add_machine(1);
    const auto reader = consumer();
    {
        Dataplane dataplane(run_.path());
        for (int i = 0; i < 4; ++i)
            ASSERT_TRUE(dataplane.producer.push(discover(ClientKind::pxe, mac_of(1))));
        EXPECT_EQ(drain(*reader), 4U);
    }
    // While the management plane runs: it must find the new file by itself, in bounded time.
    std::filesystem::remove_all(run_.path());
    std::filesystem::create_directories(run_.path());
    Dataplane fresh(run_.path());
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(fresh.producer.push(discover(ClientKind::pxe, mac_of(1))));
    const auto began = std::chrono::steady_clock::now();
    while (timeline(machine).size() < 6 &&
           std::chrono::steady_clock::now() - began < std::chrono::seconds(5)) {
        drain(*reader);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(timeline(machine).size(), 6U);
    EXPECT_EQ(unreleased(fresh), 0U);
}

// A machine's DHCP is one worker's, its transfers may be another's.
TEST_F(Consuming, EventsOfAllRingsComeByTheirTime) {
    const auto machine = add_machine(1);
    const auto reader = consumer();
    Dataplane first(run_.path(), 0);
    Dataplane second(run_.path(), 1);  // found by its file: the segment of the counters names no worker
    std::vector<std::uint64_t> times;
    std::mt19937_64 random(7);
    for (std::uint64_t i = 0; i < 5000; ++i) {  // more than a batch
        auto& ring = random() % 3 == 0 ? second : first;
        ASSERT_TRUE(ring.producer.push(
            discover(ClientKind::pxe, mac_of(1), kNoon - 5000 * kNanosPerMilli + i * kNanosPerMilli)));
    }
    EXPECT_EQ(drain(*reader), 5000U);
    EXPECT_EQ(unreleased(first) + unreleased(second), 0U);
    std::string before;
    std::size_t entries = 0;
    for (const auto& entry : timeline(machine)) {
        const std::string time = entry["time"];
        EXPECT_LE(before, time);
        before = time;
        ++entries;
    }
    EXPECT_GT(entries, 100U);  // the newest are kept
}

TEST_F(Consuming, AnEventYoungerThanTheLookWaitsForItsCause) {
    const auto machine = add_machine(1);
    const auto reader = consumer();
    Dataplane first(run_.path(), 0);
    Dataplane second(run_.path(), 1);
    ASSERT_TRUE(second.producer.push(discover(ClientKind::pxe, mac_of(1), kNoon + 2)));
    EXPECT_EQ(drain(*reader), 0U);
    ASSERT_TRUE(first.producer.push(discover(ClientKind::pxe, mac_of(1), kNoon + 1)));
    g_now = kNoon + 2;
    EXPECT_EQ(drain(*reader), 2U);
    // Unless it is not young, but the clock was set back.
    g_now = kNoon;
    ASSERT_TRUE(second.producer.push(discover(ClientKind::pxe, mac_of(1), kNoon + 3600 * kNanosPerSecond)));
    EXPECT_EQ(drain(*reader), 1U);
    EXPECT_EQ(timeline(machine).size(), 3U);
}

TEST_F(Consuming, EveryWorkerHasItsRing) {
    const auto machine = add_machine(1);
    auto counters = open_counters(run_.path()).value();
    counters->workers = 3;
    std::vector<std::unique_ptr<Dataplane>> workers;
    for (unsigned i = 0; i < 3; ++i) {
        workers.push_back(std::make_unique<Dataplane>(run_.path(), i));
        for (unsigned k = 0; k <= i; ++k)
            ASSERT_TRUE(workers.back()->producer.push(discover(ClientKind::pxe, mac_of(1))));
    }
    const auto reader = consumer();
    EXPECT_EQ(drain(*reader), 6U);
    EXPECT_EQ(timeline(machine).size(), 6U);
}

TEST_F(Consuming, AVerdictWaitsUntilNoEventWaits) {
    const auto machine = add_machine(1);
    const auto reader = consumer();
    Dataplane dataplane(run_.path());
    ASSERT_TRUE(dataplane.producer.push(discover(ClientKind::pxe, mac_of(1), kNoon)));
    EXPECT_EQ(drain(*reader), 1U);
    // The management plane was away for an hour, and the progress of that hour waits in the ring.
    g_now = kNoon + 3600 * kNanosPerSecond;
    ASSERT_TRUE(dataplane.producer.push(answer(EventKind::dhcp_ack, mac_of(1), "x", g_now)));
    std::this_thread::sleep_for(std::chrono::milliseconds(600));  // a look at the deadlines is due
    EXPECT_EQ(drain(*reader), 1U);
    EXPECT_EQ(status(machine), "DEPLOYING");
    g_now += 61 * kNanosPerSecond;
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    EXPECT_EQ(drain(*reader), 0U);
    EXPECT_EQ(status(machine), "ERROR");
}

TEST_F(Consuming, ABurstTakesFewCommits) {
    constexpr std::uint32_t kMachines = 5'000;
    for (std::uint32_t i = 0; i < kMachines; i += 1'000) {  // registered in five commits
        ASSERT_TRUE(writer_->run([i](store::Batch& batch) -> Outcome<int> {
            for (std::uint32_t n = i; n < i + 1'000; ++n) {
                auto document = store::insert(batch, store::kMachines,
                                              {{"mac", mac_of(n).to_string()}, {"status", "INACTIVE"}});
                if (!document) return tl::unexpected(document.error());
                store::HostRecord host;
                host.profile = 2;
                document->id.to_string().copy(host.machine_id.data(), host.machine_id.size());
                if (auto put = batch.put_record(batch.tables().hosts, store::bytes_of(mac_of(n)), host); !put)
                    return pass_on(put.error());
            }
            return 0;
        }));
    }
    const auto reader = consumer();
    Dataplane dataplane(run_.path());
    for (std::uint32_t n = 0; n < kMachines; ++n) {
        ASSERT_TRUE(dataplane.producer.push(discover(ClientKind::ipxe, mac_of(n))));
        ASSERT_TRUE(dataplane.producer.push(answer(EventKind::dhcp_offer, mac_of(n), "boot.ipxe")));
        ASSERT_TRUE(dataplane.producer.push(answer(EventKind::dhcp_ack, mac_of(n), "boot.ipxe")));
        ASSERT_TRUE(dataplane.producer.push(complete(mac_of(n), "boot.ipxe")));
    }
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(drain(*reader), 20'000U);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto batches = reader->statistics().batches.load();
    RecordProperty("batches", static_cast<int>(batches));
    std::printf("20 000 events of 5 000 machines: %llu batches, %.3f s, %.0f events/s\n",
                static_cast<unsigned long long>(batches), took.count(), 20'000 / took.count());
    EXPECT_LE(batches, 20U);
    EXPECT_EQ(entries_in(tables_.timeline), 20'000U);
}

TEST_F(Consuming, TheThreadConsumesByItself) {
    const auto machine = add_machine(1);
    const auto reader = consumer();
    reader->start();
    Dataplane dataplane(run_.path());
    constexpr std::size_t kEvents = 500;
    for (std::size_t i = 0; i < kEvents; ++i) {
        ASSERT_TRUE(dataplane.producer.push(discover(ClientKind::pxe, mac_of(1))));
        if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    const auto began = std::chrono::steady_clock::now();
    while (unreleased(dataplane) != 0 && std::chrono::steady_clock::now() - began < std::chrono::seconds(20))
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(timeline(machine).size(), kEvents);
}

// kill -9 of the management plane at random instants while the dataplane goes on: in the end every event is
// on its timeline once, in order.
const boot::Appliance kAppliance{*Ipv4Address::parse("10.77.0.1")};

class ConsumerCrash : public ::testing::Test {
  protected:
    static constexpr std::uint32_t kMachines = 8;
    static constexpr std::uint32_t kPerMachine = 900;  // fewer than are kept

    [[noreturn]] static void consume_until_killed(const std::string& store_dir, const std::string& run_dir) {
        auto store = store::open_store(store_dir);
        store::Writer writer(*store);
        auto consumer = Consumer::create(writer, kAppliance, run_dir, fake_now);
        if (!consumer) ::_exit(1);
        (*consumer)->start();
        for (;;) ::pause();
    }
    static std::vector<store::Id> add_machines(const std::string& store_dir) {
        auto store = store::open_store(store_dir);
        store::Writer writer(*store);
        std::vector<store::Id> machines;
        for (std::uint32_t n = 0; n < kMachines; ++n)
            machines.push_back(
                writer
                    .run([n](store::Batch& batch) -> Outcome<store::Id> {
                        auto document =
                            store::insert(batch, store::kMachines,
                                          {{"mac", mac_of(n).to_string()}, {"status", "INACTIVE"}});
                        if (!document) return tl::unexpected(document.error());
                        store::HostRecord host;
                        document->id.to_string().copy(host.machine_id.data(), host.machine_id.size());
                        if (auto put =
                                batch.put_record(batch.tables().hosts, store::bytes_of(mac_of(n)), host);
                            !put)
                            return pass_on(put.error());
                        return document->id;
                    })
                    .value());
        return machines;
    }
};

TEST_F(ConsumerCrash, KilledAtRandomInstantsEachEventIsAppliedOnce) {
    const store::TemporaryDirectory directory;
    const std::string store_dir = directory.path() + "/lmdb";
    const RunDirectory run;
    const auto machines = add_machines(store_dir);
    Dataplane dataplane(run.path());
    std::mt19937 random(std::random_device{}());
    std::uint32_t pushed = 0;
    for (int round = 0; round < 25; ++round) {
        const pid_t child = ::fork();
        if (child == 0) consume_until_killed(store_dir, run.path());
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 80'000);
        while (std::chrono::steady_clock::now() < end) {
            if (pushed < kMachines * kPerMachine && pushed < 300U * static_cast<unsigned>(round + 1)) {
                Event e = event(EventKind::tftp_missing, mac_of(pushed % kMachines), kNoon,
                                std::to_string(pushed / kMachines));
                ASSERT_TRUE(dataplane.producer.push(e));
                ++pushed;
            } else {
                std::this_thread::sleep_for(std::chrono::microseconds(200));
            }
        }
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    }
    for (; pushed < kMachines * kPerMachine; ++pushed)
        ASSERT_TRUE(dataplane.producer.push(event(EventKind::tftp_missing, mac_of(pushed % kMachines), kNoon,
                                                  std::to_string(pushed / kMachines))));
    auto store = store::open_store(store_dir);
    store::Writer writer(*store);
    const auto consumer = Consumer::create(writer, kAppliance, run.path(), fake_now).value();
    for (int rounds = 0; rounds < 100 && consumer->turn().value() != 0; ++rounds) {
    }
    for (const auto& machine : machines) {
        const auto entries = nlohmann::json::parse(
            read_timeline(*store->snapshot(), consumer->tables(), machine, 0, 10'000).value().json);
        ASSERT_EQ(entries.size(), kPerMachine);
        for (std::uint32_t i = 0; i < kPerMachine; ++i) {
            ASSERT_EQ(entries[i]["sequence"], i + 1);
            ASSERT_EQ(entries[i]["details"]["file"], std::to_string(i));
        }
    }
    EXPECT_EQ(dataplane.segment->head.load(), dataplane.segment->tail.load());
}

}  // namespace
}  // namespace rouse::events
