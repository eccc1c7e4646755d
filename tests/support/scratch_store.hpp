#pragma once
// A store in a scratch directory with machines in it, as rouse-mgmt would have written them; for tests and
// benchmarks.

#include "shared/store/records.hpp"
#include "shared/store/tables.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <openssl/sha.h>
#include <unistd.h>

namespace rouse::test {

template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class ScratchStore {
  public:
    explicit ScratchStore(const std::string& parent = std::filesystem::temp_directory_path())
        : directory_(parent + "/rouse-scratch-" + std::to_string(::getpid()) + "-" +
                     std::to_string(++instances_)),
          environment_(must(store::Environment::open(directory_, {.access = store::Access::read_write}))),
          tables_(create_tables()) {}
    ScratchStore(const ScratchStore&) = delete;
    ScratchStore& operator=(const ScratchStore&) = delete;
    ~ScratchStore() { std::filesystem::remove_all(directory_); }

    // Directory of images' contents.
    [[nodiscard]] std::string images() const {
        std::filesystem::create_directories(directory_ + "/images");
        return directory_ + "/images";
    }
    [[nodiscard]] store::Environment& environment() noexcept { return environment_; }
    [[nodiscard]] const store::Tables& tables() const noexcept { return tables_; }

    // Runs CHANGE(Transaction&, const Tables&) and commits.
    template <typename Change>
    void commit(Change&& change) {
        auto txn = must(environment_.begin(store::Access::read_write));
        change(txn, tables_);
        must(txn.commit());
    }

    // Network 1, 10.0.0.0/8, and profile 1 with a loader for BIOS and UEFI and a script.
    void add_network_and_profile() {
        commit([](store::Transaction& txn, const store::Tables& tables) {
            const be32 one(1);
            store::NetworkRecord network;
            network.id = 1;
            network.prefix = *Ipv4Prefix::parse("10.0.0.0/8");
            network.gateway = *Ipv4Address::parse("10.0.0.1");
            network.lease_seconds = 3600;
            must(txn.put(tables.networks, store::bytes_of(one), store::bytes_of(network)));
            store::ProfileRecord profile;
            profile.id = 1;
            profile.flags = store::ProfileRecord::kHasScript;
            if (!profile.loaders[static_cast<std::size_t>(Loader::bios)].assign("undionly.kpxe") ||
                !profile.loaders[static_cast<std::size_t>(Loader::x64_uefi)].assign("ipxe.efi"))
                throw std::logic_error("a loader's name is too long");
            must(txn.put(tables.profiles, store::bytes_of(one), store::bytes_of(profile)));
        });
    }
    // A file that every machine may fetch as NAME.
    void add_image(std::string_view name, std::string_view content) {
        store::Sha256 hash;
        SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), hash.data());
        std::string hex;
        for (const auto byte : hash) {
            constexpr std::string_view kDigits = "0123456789abcdef";
            hex += kDigits[byte >> 4];
            hex += kDigits[byte & 0xf];
        }
        std::ofstream(images() + "/" + hex, std::ios::binary) << content;
        commit([&](store::Transaction& txn, const store::Tables& tables) {
            const store::ImageRecord image{.size = content.size()};
            must(txn.put(tables.images, store::bytes_of(hash), store::bytes_of(image)));
            const store::NameRecord record{.size = content.size(), .hash = hash};
            must(txn.put(tables.names, store::NameKey::common(name)->bytes(), store::bytes_of(record)));
        });
    }
    // Machines 0 … COUNT-1 with the addresses mac_of() and address_of() give.
    void add_machines(std::uint32_t count) {
        commit([count](store::Transaction& txn, const store::Tables& tables) {
            for (std::uint32_t i = 0; i < count; ++i) {
                store::HostRecord host;
                host.network = 1;
                host.profile = 1;
                host.address = address_of(i);
                store::LeaseRecord lease;
                lease.network = 1;
                lease.mac = mac_of(i);
                must(txn.put(tables.hosts, store::bytes_of(lease.mac), store::bytes_of(host)));
                must(txn.put(tables.leases, store::bytes_of(host.address), store::bytes_of(lease)));
            }
        });
    }
    // What rouse-mgmt does in every transaction that changes a host: tells those who remember some.
    void count_change_of_hosts(store::Transaction& txn) {
        const be64 generation(++hosts_generation_);
        must(txn.put(tables_.meta, store::bytes_of(store::kHostsGenerationKey), store::bytes_of(generation)));
    }
    [[nodiscard]] static MacAddress mac_of(std::uint32_t machine) noexcept {
        return {{0x52, 0x54, static_cast<std::uint8_t>(machine >> 24),
                 static_cast<std::uint8_t>(machine >> 16), static_cast<std::uint8_t>(machine >> 8),
                 static_cast<std::uint8_t>(machine)}};
    }
    [[nodiscard]] static Ipv4Address address_of(std::uint32_t machine) noexcept {
        return Ipv4Address::from_host(0x0a010000U + machine);
    }

  private:
    store::Tables create_tables() {
        auto txn = must(environment_.begin(store::Access::read_write));
        const auto tables = must(store::Tables::open(txn, true));
        must(txn.commit());
        return tables;
    }
    static inline unsigned instances_ = 0;
    std::string directory_;
    store::Environment environment_;
    store::Tables tables_;
    std::uint64_t hosts_generation_ = 0;
};

}  // namespace rouse::test
