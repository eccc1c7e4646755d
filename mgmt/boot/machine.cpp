#include "mgmt/boot/machine.hpp"

#include "mgmt/boot/address_plan.hpp"
#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/boot_token.hpp"
#include "mgmt/boot/guest_leases.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/boot/rendered.hpp"
#include "mgmt/boot/serving.hpp"
#include "shared/store/records.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

MacAddress mac_of(const json& fields) {
    return *MacAddress::parse(fields.at("mac").get_ref<const std::string&>());
}

std::string text_in(const json& fields, const char* name) {
    const auto found = fields.find(name);
    return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Outcome<void> check_references(const View& view, const json& fields) {
    if (const std::string cluster = text_in(fields, "cluster"); !cluster.empty()) {
        const auto id = Id::parse(cluster);
        const auto found = id ? find(view, kClusters, *id) : Result<std::optional<Document>>{};
        if (!found) return pass_on(found.error());
        if (!*found) return refuse(Failure::Kind::invalid, "there is no such cluster", "/cluster");
    }
    if (const std::string profile = text_in(fields, "boot_profile"); !profile.empty()) {
        const auto found = find_by(view, kBootProfiles, kProfileByName, profile);
        if (!found) return pass_on(found.error());
        if (!*found)
            return refuse(Failure::Kind::invalid, "there is no boot profile " + profile, "/boot_profile");
    }
    return {};
}

// The first label: HostRecord carries a label, not a whole domain name.
std::string_view host_label(std::string_view hostname) {
    return hostname.substr(0, hostname.find('.'));
}

Outcome<HostRecord> host_record(const View& view, const Document& machine,
                                const std::optional<Document>& profile) {
    HostRecord record;
    const std::string id = machine.id.to_string();
    std::copy(id.begin(), id.end(), record.machine_id.begin());
    if (!record.hostname.assign(host_label(machine.text("hostname"))))
        return refuse(Failure::Kind::invalid, "the host name is too long", "/hostname");
    if (profile) record.profile = profile->fields.value("_profile", ProfileId{0});
    if (const auto pool_id = Id::parse(machine.text("ip_pool"))) {
        const auto pool = find(view, kIpPools, *pool_id);
        if (!pool) return pass_on(pool.error());
        const auto address = Ipv4Address::parse(machine.text("ip"));
        if (*pool && address) {
            record.network = (*pool)->fields.value("_network", NetworkId{0});
            record.address = *address;
            record.address6 = Ipv6Address::parse(machine.text("ip6")).value_or(Ipv6Address{});
        }
    }
    for (const auto& name : machine.fields.value("quirks", json::array()))
        if (const auto quirk = parse_quirk(name.get_ref<const std::string&>())) record.quirks.add(*quirk);
    return record;
}

// Whether an address is the operator's own wish, or one that we planned and may plan anew.
struct AddressField {
    const char* name;
    const char* typed;
};
constexpr AddressField kAddressFields[] = {{"ip", "_ip_typed"}, {"ip6", "_ip6_typed"}};

void note_typed(json& fields, const AddressField& field, const std::string& before) {
    if (const std::string now = text_in(fields, field.name); now != before)
        fields[field.typed] = !now.empty();
}

}  // namespace

Outcome<void> withhold_machine(Batch& batch, const MacAddress& mac) {
    const auto stored = batch.record<HostRecord>(batch.tables().hosts, bytes_of(mac));
    if (!stored) return pass_on(stored.error());
    auto host = stored->value_or(HostRecord{});
    if (auto removed = remove_rendered(batch, mac, host); !removed) return removed;
    if (*stored)
        if (auto removed = batch.remove(batch.tables().hosts, bytes_of(mac)); !removed)
            return pass_on(removed.error());
    return {};
}

Outcome<Document> register_machine(Batch& batch, const Appliance& appliance, json fields) {
    if (auto checked = check_references(batch, fields); !checked) return pass_on(checked.error());
    for (const AddressField& field : kAddressFields) note_typed(fields, field, {});
    if (auto checked = check_may_join(batch, fields); !checked) return pass_on(checked.error());
    if (auto noted = note_address_change(batch, fields); !noted) return pass_on(noted.error());
    if (auto placed = place(batch, appliance, fields); !placed) return pass_on(placed.error());
    auto machine = insert(batch, kMachines, std::move(fields));
    if (!machine) return machine;
    if (auto projected = project_machine(batch, appliance, *machine); !projected)
        return pass_on(projected.error());
    return machine;
}

Outcome<Document> change_machine(Batch& batch, const Appliance& appliance, const Document& current,
                                 json fields) {
    if (auto checked = check_references(batch, fields); !checked) return pass_on(checked.error());
    const MacAddress old_mac = mac_of(current.fields);
    for (const AddressField& field : kAddressFields) note_typed(fields, field, current.text(field.name));
    const bool readdressed = text_in(fields, "ip") != current.text("ip");
    const bool moves =
        readdressed || mac_of(fields) != old_mac || text_in(fields, "ip6") != current.text("ip6");
    const bool leaves = text_in(fields, "cluster") != current.text("cluster");
    if (moves || leaves) {
        if (auto checked = check_may_move(batch, current.fields); !checked) return pass_on(checked.error());
        if (auto noted = note_address_change(batch, fields); !noted) return pass_on(noted.error());
    }
    if (leaves)
        if (auto left = note_leaving(batch, current.fields, &fields); !left) return pass_on(left.error());
    fields["ip_pool"] = current.fields.value("ip_pool", json());
    // A planned IPv6 address goes with the IPv4 one.
    if (readdressed && !fields.value("_ip6_typed", false)) fields["ip6"] = nullptr;
    if (moves) {
        json old = current.fields;
        if (auto displaced = displace(batch, old); !displaced) return pass_on(displaced.error());
        if (mac_of(fields) != old_mac)
            if (auto removed = withhold_machine(batch, old_mac); !removed) return pass_on(removed.error());
    }
    if (moves || text_in(fields, "ip").empty())
        if (auto placed = place(batch, appliance, fields, old_mac); !placed) return pass_on(placed.error());
    Document changed = current;
    changed.fields = std::move(fields);
    auto machine = update(batch, kMachines, std::move(changed));
    if (!machine) return machine;
    if (auto projected = project_machine(batch, appliance, *machine); !projected)
        return pass_on(projected.error());
    return machine;
}

Outcome<bool> remove_machine(Batch& batch, Id id) {
    const auto machine = find(batch, kMachines, id);
    if (!machine) return pass_on(machine.error());
    if (!*machine) return false;
    json fields = (*machine)->fields;
    if (auto checked = check_may_move(batch, fields); !checked) return pass_on(checked.error());
    if (auto left = note_leaving(batch, fields, nullptr); !left) return pass_on(left.error());
    if (auto displaced = displace(batch, fields); !displaced) return pass_on(displaced.error());
    if (auto removed = withhold_machine(batch, mac_of(fields)); !removed) return pass_on(removed.error());
    if (auto removed = remove_token(batch, id); !removed) return pass_on(removed.error());
    return erase(batch, kMachines, id);
}

Outcome<Document> replace_declined(Batch& batch, const Appliance& appliance, const Document& machine,
                                   Ipv4Address address) {
    if (appliance.is_worker() || !check_may_move(batch, machine.fields)) return machine;
    if (machine.text("ip") != address.to_string() || machine.fields.value("_ip_typed", false)) return machine;
    const auto pool_id = Id::parse(machine.text("ip_pool"));
    const auto found = pool_id ? find(batch, kIpPools, *pool_id) : Result<std::optional<Document>>{};
    if (!found) return pass_on(found.error());
    if (!*found) return machine;
    const auto pool = Pool::of(**found);
    if (!pool) return pass_on(pool.error());
    const auto aside = set_aside(batch, *pool, address, mac_of(machine.fields));
    if (!aside) return pass_on(aside.error());
    if (!*aside) return machine;
    Document changed = machine;
    if (auto noted = note_address_change(batch, changed.fields); !noted) return pass_on(noted.error());
    if (auto displaced = displace(batch, changed.fields); !displaced) return pass_on(displaced.error());
    if (auto placed = place(batch, appliance, changed.fields); !placed) return pass_on(placed.error());
    auto updated = update(batch, kMachines, std::move(changed));
    if (!updated) return updated;
    if (auto projected = project_machine(batch, appliance, *updated); !projected)
        return pass_on(projected.error());
    return updated;
}

Outcome<void> project_machine(Batch& batch, const Appliance& appliance, const Document& machine) {
    const auto here = is_served_here(batch, appliance, machine.fields);
    if (!here) return pass_on(here.error());
    if (!*here) return withhold_machine(batch, mac_of(machine.fields));
    const auto profile = profile_of(batch, machine.fields);
    if (!profile) return pass_on(profile.error());
    auto host = host_record(batch, machine, *profile);
    if (!host) return pass_on(host.error());
    const MacAddress mac = mac_of(machine.fields);
    const auto stored = batch.record<HostRecord>(batch.tables().hosts, bytes_of(mac));
    if (!stored) return pass_on(stored.error());
    if (*stored) {
        host->line_id = (*stored)->line_id;
        host->line_bytes = (*stored)->line_bytes;
    }
    const auto rendered = *profile ? render_machine(batch, appliance, machine, **profile, *host)
                                   : remove_rendered(batch, mac, *host);
    if (!rendered) return rendered;
    if (!*stored || std::memcmp(&**stored, &*host, sizeof *host) != 0)
        if (auto put = batch.put_record(batch.tables().hosts, bytes_of(mac), *host); !put)
            return pass_on(put.error());
    return {};
}

Outcome<void> refresh_machine(Batch& batch, const Appliance& appliance, Document machine) {
    if (appliance.is_worker() || !check_may_move(batch, machine.fields))
        return project_machine(batch, appliance, machine);
    const auto moved = follow_prefix6(batch, machine.fields);
    if (!moved) return pass_on(moved.error());
    if (!*moved) return project_machine(batch, appliance, machine);
    if (auto noted = note_address_change(batch, machine.fields); !noted) return noted;
    const auto updated = update(batch, kMachines, std::move(machine));
    if (!updated) return pass_on(updated.error());
    return project_machine(batch, appliance, *updated);
}

Outcome<std::optional<Id>> place_waiting(Batch& batch, const Appliance& appliance, std::optional<Id> after,
                                         std::size_t limit) {
    if (appliance.is_worker()) return std::optional<Id>{};  // its centre does that
    std::vector<Id> waiting;
    const auto listed = for_each_id(
        batch, kMachineUnplaced, "",
        [&](Id id) {
            waiting.push_back(id);
            return waiting.size() < limit;
        },
        after);
    if (!listed) return pass_on(listed.error());
    for (const Id& id : waiting) {
        auto machine = find(batch, kMachines, id);
        if (!machine) return pass_on(machine.error());
        if (!*machine) continue;
        if (auto placed = place(batch, appliance, (*machine)->fields); !placed)
            return pass_on(placed.error());
        if ((*machine)->text("ip").empty()) continue;
        const auto updated = update(batch, kMachines, std::move(**machine));
        if (!updated) return pass_on(updated.error());
        if (auto projected = project_machine(batch, appliance, *updated); !projected)
            return pass_on(projected.error());
    }
    if (waiting.size() < limit) return std::optional<Id>{};
    return std::optional<Id>(waiting.back());
}

Outcome<void> renew_token(Batch& batch, const Appliance& appliance, Id id) {
    const auto had = let_token_go(batch, id);
    if (!had) return pass_on(had.error());
    if (!*had) return {};
    const auto machine = find(batch, kMachines, id);
    if (!machine) return pass_on(machine.error());
    return *machine ? project_machine(batch, appliance, **machine) : Outcome<void>{};
}

Outcome<Document> spend_token(Batch& batch, const Appliance& appliance, std::string_view token) {
    auto machine = machine_of_token(batch, token, batch.now_unix());
    if (!machine) return machine;
    if (auto retired = retire_token(batch, machine->id, token); !retired) return pass_on(retired.error());
    if (auto projected = project_machine(batch, appliance, *machine); !projected)
        return pass_on(projected.error());
    return machine;
}

}  // namespace rouse::boot
