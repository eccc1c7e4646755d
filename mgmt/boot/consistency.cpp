#include "mgmt/boot/consistency.hpp"

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/store/documents.hpp"

#include <array>
#include <filesystem>
#include <functional>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

// A field by which documents name another one; by its id where there is no index.
struct Reference {
    const Collection* from;
    const char* field;
    const Collection* to;
    const Index* by = nullptr;
};
const std::array kReferences{Reference{&kMachines, "cluster", &kClusters},
                             Reference{&kMachines, "ip_pool", &kIpPools},
                             Reference{&kMachines, "boot_profile", &kBootProfiles, &kProfileByName},
                             Reference{&kClusters, "boot_profile", &kBootProfiles, &kProfileByName},
                             Reference{&kIpPools, "cluster", &kClusters},
                             Reference{&kIpPools, "boot_profile", &kBootProfiles, &kProfileByName},
                             Reference{&kBootTokens, "machine", &kMachines}};

std::string named(const Collection& collection, const Document& document) {
    return std::string(collection.noun) + " " + document.id.to_string();
}

// Like for_each(), past documents that cannot be read.
Result<void> for_each_whole(const View& view, const Collection& collection,
                            const std::function<Result<void>(const Document&)>& visit) {
    Result<void> visited;
    const auto listed = for_each_key(view, collection, [&](Id id) {
        const auto document = find(view, collection, id);
        if (document && *document) visited = visit(**document);
        return visited.has_value();
    });
    return listed ? visited : listed;
}

Result<bool> is_there(const View& view, const Reference& reference, const std::string& value) {
    if (reference.by != nullptr) {
        const auto ids = ids_by(view, *reference.by, value);
        if (!ids) return tl::unexpected(ids.error());
        return !ids->empty();
    }
    const auto id = Id::parse(value);
    if (!id) return false;
    const auto stored = view.txn().get(reference.to->table(view), bytes_of(*id));
    if (!stored) return tl::unexpected(stored.error());
    return stored->has_value();
}

Result<void> check_reference(const View& view, const Reference& reference, StoreCheck& check) {
    return for_each_whole(view, *reference.from, [&](const Document& document) -> Result<void> {
        const std::string value = document.text(reference.field);
        if (value.empty()) return {};
        const auto there = is_there(view, reference, value);
        if (!there) return tl::unexpected(there.error());
        if (!*there)
            check.add(named(*reference.from, document) + " names the " + std::string(reference.to->noun) +
                      " " + value + ", which does not exist");
        return {};
    });
}

// What another appliance serves is not told to the dataplane here.
Result<bool> is_served_by_centre(const View& view, const Document& machine) {
    if (machine.fields.value("_held", false)) return false;
    const auto id = Id::parse(machine.text("cluster"));
    if (!id) return true;
    const auto cluster = find(view, kClusters, *id);
    return !cluster || !*cluster || (*cluster)->text("served_by").empty();
}

std::string_view machine_of(const HostRecord& host) {
    return {host.machine_id.data(), host.machine_id.size()};
}

Result<void> check_machine(const View& view, const Document& machine, StoreCheck& check) {
    const std::string what = named(kMachines, machine);
    const auto mac = MacAddress::parse(machine.text("mac"));
    if (!mac) {
        check.add(what + " has no MAC address");
        return {};
    }
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of(*mac));
    if (!host) return tl::unexpected(host.error());
    if (!*host || machine_of(**host) != machine.id.to_string()) {
        check.add(what + " has no host record, so the dataplane does not know it");
        return {};
    }
    const auto address = Ipv4Address::parse(machine.text("ip"));
    if (!address || machine.text("ip_pool").empty()) return {};
    if ((*host)->address != *address) check.add(what + " has another address in its host record");
    const auto lease = find_lease(view, *address);
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease || (*lease)->mac != *mac) check.add(what + " has no lease of its address");
    return {};
}

Result<void> check_hosts(const View& view, StoreCheck& check) {
    Result<void> looked;
    const auto scanned = scan(view.txn(), view.tables().hosts, {}, [&](Bytes, Bytes value) {
        const auto host = decode<HostRecord>(value);
        if (!host) check.add("a host record is damaged");
        if (!host || host->is_guest()) return true;
        const auto id = Id::parse(machine_of(*host));
        const auto machine = id ? view.txn().get(kMachines.table(view), bytes_of(*id))
                                : Result<std::optional<Bytes>>(std::optional<Bytes>{});
        if (!machine) looked = tl::unexpected(machine.error());
        if (machine && !*machine)
            check.add("a host record is of machine " + (id ? id->to_string() : "?") +
                      ", which does not exist");
        return looked.has_value();
    });
    return scanned ? looked : scanned;
}

Result<void> check_contents(const View& view, const std::string& images_dir, StoreCheck& check) {
    return for_each_whole(view, kImages, [&](const Document& image) -> Result<void> {
        std::error_code error;
        const auto size = std::filesystem::file_size(images_dir + "/" + image.text("sha256"), error);
        const std::string what = "the content of image " + image.text("name");
        if (error)
            check.add(what + " is not there; put it again");
        else if (size != image.fields.value("size", std::uint64_t{0}))
            check.add(what + " has another size than it had; put it again");
        return {};
    });
}

}  // namespace

Result<void> check_consistency(const View& view, const ConsistencyOptions& options, StoreCheck& check) {
    if (auto checked = check_hosts(view, check); !checked) return checked;
    if (options.is_worker) return {};
    for (const Reference& reference : kReferences)
        if (auto checked = check_reference(view, reference, check); !checked) return checked;
    const auto machines = for_each_whole(view, kMachines, [&](const Document& machine) -> Result<void> {
        const auto here = is_served_by_centre(view, machine);
        if (!here) return tl::unexpected(here.error());
        return *here ? check_machine(view, machine, check) : Result<void>{};
    });
    if (!machines || options.images_dir.empty()) return machines;
    return check_contents(view, options.images_dir, check);
}

}  // namespace rouse::boot
