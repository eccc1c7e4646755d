#pragma once
// A store with registered machines in it, and the events that they cause.

#include "mgmt/events/recorder.hpp"
#include "mgmt/events/tables.hpp"
#include "mgmt/events/timeline.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/client_kind.hpp"
#include "shared/clock.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::events {

inline constexpr std::uint64_t kNoon = 1'795'176'000 * kNanosPerSecond;  // 2026-11-20T12:00:00Z

inline MacAddress mac_of(std::uint32_t n) {
    return {{2, 0, static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16),
             static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}};
}
inline Ipv4Address address_of(std::uint32_t n) {
    return Ipv4Address::from_host(0x0a4d0000U + n);
}

inline Event event(EventKind kind, const MacAddress& mac, std::uint64_t time_ns = kNoon,
                   std::string_view text = {}) {
    Event out;
    out.kind = kind;
    out.mac = mac;
    out.time_ns = time_ns;
    out.set_text(text);
    return out;
}
inline Event discover(ClientKind client, const MacAddress& mac, std::uint64_t time_ns = kNoon) {
    Event out = event(EventKind::dhcp_discover, mac, time_ns,
                      client == ClientKind::system ? "udhcp 1.35.0" : "PXEClient:Arch:00007:UNDI:003010");
    out.detail = static_cast<std::uint16_t>(client);
    out.architecture = client == ClientKind::system ? kArchitectureUnknown : 7;
    return out;
}
inline Event answer(EventKind kind, const MacAddress& mac, std::string_view boot_file,
                    std::uint64_t time_ns = kNoon) {
    Event out = event(kind, mac, time_ns, boot_file);
    out.address = address_of(9);
    return out;
}
inline Event complete(const MacAddress& mac, std::string_view file, std::uint64_t time_ns = kNoon) {
    Event out = event(EventKind::tftp_complete, mac, time_ns, file);
    out.bytes = 8'200'000;
    out.duration_ns = 1'900 * kNanosPerMilli;
    return out;
}

class RackTest : public store::StoreTest {
  protected:
    enum class Profile { none, loaders, kernel };

    void SetUp() override {
        const auto opened = writer_->run([](store::Batch& batch) { return EventTables::open(batch); });
        ASSERT_TRUE(opened) << opened.error().message;
        tables_ = *opened;
        const auto profiles = writer_->run([](store::Batch& batch) -> Result<int> {
            for (const std::uint32_t id : {1U, 2U}) {
                store::ProfileRecord profile;
                profile.id = id;
                if (id == 2) profile.flags = store::ProfileRecord::kHasScript;
                const be32 key(id);
                if (auto put = batch.put_record(batch.tables().profiles, store::bytes_of(key), profile); !put)
                    return tl::unexpected(put.error());
            }
            return 0;
        });
        ASSERT_TRUE(profiles);
    }

    store::Id add_cluster(const std::string& name) {
        const auto made = writer_->run([&](store::Batch& batch) {
            return store::insert(batch, store::kClusters, {{"name", name}, {"status", "UNKNOWN"}});
        });
        return made.value().id;
    }
    // Machine N with its host record; PROFILE as in the setting up.
    store::Id add_machine(std::uint32_t n, Profile profile = Profile::kernel,
                          std::optional<store::Id> cluster = {}, const char* status = "INACTIVE") {
        const auto made = writer_->run([&](store::Batch& batch) -> Outcome<store::Document> {
            nlohmann::json fields{{"hostname", "node" + std::to_string(n)},
                                  {"mac", mac_of(n).to_string()},
                                  {"status", status},
                                  {"health", "UNKNOWN"}};
            if (cluster) fields["cluster"] = cluster->to_string();
            auto document = store::insert(batch, store::kMachines, std::move(fields));
            if (!document) return document;
            store::HostRecord host;
            host.network = 1;
            host.address = address_of(n + 16);
            host.profile = static_cast<store::ProfileId>(profile);
            document->id.to_string().copy(host.machine_id.data(), host.machine_id.size());
            if (auto put = batch.put_record(batch.tables().hosts, store::bytes_of(mac_of(n)), host); !put)
                return pass_on(put.error());
            return document;
        });
        return made.value().id;
    }

    // Applies EVENTS as the next ones of a ring.
    TouchedMachines apply(std::vector<Event> events, std::uint64_t ring = 1) {
        for (Event& e : events) e.sequence = ++sequence_;
        return apply_as_they_are(events, ring);
    }
    TouchedMachines apply_as_they_are(const std::vector<Event>& events, std::uint64_t ring) {
        std::vector<RingEvent> of_ring;
        for (const Event& e : events) of_ring.push_back({ring, e});
        const auto touched = writer_->run(
            [&](store::Batch& batch) { return apply_events(batch, tables_, appliance_, of_ring); });
        EXPECT_TRUE(touched) << touched.error().message;
        return touched.value_or(TouchedMachines{});
    }
    TouchedMachines expire(std::uint64_t now_ns) {
        const auto touched =
            writer_->run([&](store::Batch& batch) { return apply_deadlines(batch, tables_, now_ns, 1000); });
        EXPECT_TRUE(touched) << touched.error().message;
        return touched.value_or(TouchedMachines{});
    }

    nlohmann::json timeline(const store::Id& machine, std::uint64_t after = 0, std::size_t limit = 10'000) {
        const auto snapshot = store_->snapshot();
        return nlohmann::json::parse(read_timeline(*snapshot, tables_, machine, after, limit).value().json);
    }
    std::vector<std::string> texts(const store::Id& machine) {
        std::vector<std::string> out;
        for (const auto& entry : timeline(machine)) out.push_back(entry["text"]);
        return out;
    }
    BootRecord boot(const store::Id& machine) {
        const auto snapshot = store_->snapshot();
        return read_boot(*snapshot, tables_, machine).value().value_or(BootRecord{});
    }
    nlohmann::json fields(const store::Collection& collection, const store::Id& id) {
        const auto snapshot = store_->snapshot();
        return store::find(*snapshot, collection, id).value().value().fields;
    }
    std::string status(const store::Id& machine) { return fields(store::kMachines, machine)["status"]; }
    std::size_t entries_in(store::Table table) {
        const auto snapshot = store_->snapshot();
        return snapshot->txn().count(table).value();
    }

    boot::Appliance appliance_{*Ipv4Address::parse("10.77.0.1")};
    EventTables tables_;
    std::uint64_t sequence_ = 0;
};

}  // namespace rouse::events
