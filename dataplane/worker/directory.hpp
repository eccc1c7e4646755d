#pragma once
// The worker's read-only view of the store: one read transaction, renewed per burst and never held across
// idle.

#include "dataplane/worker/host_memory.hpp"
#include "shared/store/records.hpp"
#include "shared/store/tables.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace rouse::worker {

// Owned by one worker thread. Lookups are valid between begin() and end(); nothing allocates, locks or waits.
class Directory {
  public:
    // Both fail until rouse-mgmt has created the tables, and are called by one thread at a time;
    // `environment` must outlive the directory.
    [[nodiscard]] static Result<store::Tables> open_tables(store::Environment& environment);
    [[nodiscard]] static Result<Directory> open(store::Environment& environment);

    // Takes the newest snapshot (~10 ns). False: the store cannot be read at present, and every lookup
    // misses.
    bool begin() noexcept;
    void end() noexcept;

    [[nodiscard]] const store::Tables& tables() const noexcept { return tables_; }
    // Number of the snapshot's last commit.
    [[nodiscard]] std::uint64_t snapshot() const noexcept { return snapshot_; }

    // From memory while no host has changed since the machine was last asked for.
    [[nodiscard]] std::optional<store::HostRecord> host(const MacAddress& mac) noexcept;
    [[nodiscard]] std::optional<store::LeaseRecord> lease(Ipv4Address address) const noexcept;
    [[nodiscard]] std::optional<store::LeaseRecord> lease(const Ipv6Address& address) const noexcept;
    // What NAME stands for: the machine's own, else its profile's, else everybody's; its size as the machine
    // sees it.
    [[nodiscard]] std::optional<store::NameRecord> find_name(const MacAddress& mac,
                                                             const store::HostRecord& host,
                                                             std::string_view name) const noexcept;
    [[nodiscard]] store::SwitchRecord switches() const noexcept;  // defaults when none were ever written
    // Unix seconds until when addresses may be given; UINT64_MAX: for good.
    [[nodiscard]] std::uint64_t tenure() const noexcept;
    // Copies bytes of a rendered file; false when it is gone or shorter than that.
    [[nodiscard]] bool read_rendered(std::uint64_t id, std::uint64_t offset,
                                     std::span<std::byte> out) const noexcept;
    // The same of a frame with a line in it (see FramedText).
    [[nodiscard]] bool read_framed(std::uint64_t frame, std::uint64_t line, std::uint64_t offset,
                                   std::span<std::byte> out) const noexcept;

    // Networks and profiles are few, large and asked for by every packet: copied out once per commit. The
    // pointer is valid until the next begin().
    [[nodiscard]] const store::NetworkRecord* network(store::NetworkId id) noexcept;
    [[nodiscard]] const store::ProfileRecord* profile(store::ProfileId id) noexcept;
    // The network that holds ADDRESS (pools do not overlap). Valid as long.
    [[nodiscard]] const store::NetworkRecord* network_at(Ipv4Address address) noexcept;

  private:
    Directory(store::Transaction txn, store::Cursor networks, store::Tables tables) noexcept
        : txn_(std::move(txn)), networks_cursor_(std::move(networks)), tables_(tables) {}

    // Direct-mapped: an entry is good for the snapshot (transaction number) that it was read in.
    template <typename R, std::size_t Slots>
    struct Cache {
        struct Entry {
            std::uint64_t snapshot = 0;
            std::uint32_t id = 0;
            bool found = false;
            R record{};
        };
        std::array<Entry, Slots> entries{};
    };
    template <typename R, std::size_t Slots>
    const R* cached(Cache<R, Slots>& cache, store::Table table, std::uint32_t id) noexcept;
    // Number of the last change of any host, as rouse-mgmt counts them; 0: not known.
    std::uint64_t hosts_generation() noexcept;
    template <store::Record R>
    std::optional<R> get(store::Table table, store::Bytes key) const noexcept;
    [[nodiscard]] std::optional<store::Bytes> rendered(std::uint64_t id) const noexcept;

    store::Transaction txn_;
    store::Cursor networks_cursor_;
    store::Tables tables_;
    bool readable_ = false;
    std::uint64_t snapshot_ = 0;
    // While machines boot there is a commit every few milliseconds, and hardly one of them changes a host: so
    // these are good for longer than a snapshot.
    HostMemory hosts_;
    std::uint64_t hosts_generation_ = 0;
    std::uint64_t hosts_generation_snapshot_ = 0;  // the snapshot that it was read in
    Cache<store::NetworkRecord, 64> networks_;
    Cache<store::ProfileRecord, 64> profiles_;

    // All networks, for the lookup by address; read when first asked for after a commit.
    static constexpr std::size_t kMaxNetworks = 1024;
    std::array<store::NetworkRecord, kMaxNetworks> all_networks_{};
    std::size_t network_count_ = 0;
    std::uint64_t networks_snapshot_ = 0;
};

}  // namespace rouse::worker
