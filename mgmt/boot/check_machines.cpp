#include "mgmt/boot/check_machines.hpp"

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/store/documents.hpp"

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

Result<void> check_machine(const View& view, const Document& machine, StoreCheck& check) {
    const std::string what = "machine " + machine.id.to_string();
    const auto mac = MacAddress::parse(machine.text("mac"));
    if (!mac) {
        check.add(what + " has no MAC address");
        return {};
    }
    const auto host = view.record<HostRecord>(view.tables().hosts, bytes_of(*mac));
    if (!host) return tl::unexpected(host.error());
    const std::string id = machine.id.to_string();
    if (!*host || std::string_view((*host)->machine_id.data(), (*host)->machine_id.size()) != id) {
        check.add(what + " has no host record");
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

}  // namespace

Result<void> check_machines(const View& view, StoreCheck& check) {
    Result<void> result;
    std::size_t machines = 0;
    const auto listed = for_each(view, kMachines, std::nullopt, [&](const Document& machine) {
        ++machines;
        result = check_machine(view, machine, check);
        return result.has_value();
    });
    if (!result) return result;
    if (!listed) return listed;
    std::size_t hosts = 0;
    const auto scanned = scan(view.txn(), view.tables().hosts, {}, [&](Bytes, Bytes value) {
        const auto host = decode<HostRecord>(value);
        if (!host) check.add("a host record is damaged");
        if (host && !host->is_guest()) ++hosts;
        return true;
    });
    if (scanned && hosts != machines)
        check.add("there are " + std::to_string(machines) + " machines and host records of " +
                  std::to_string(hosts));
    return scanned;
}

}  // namespace rouse::boot
