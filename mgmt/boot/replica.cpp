#include "mgmt/boot/replica.hpp"

#include "mgmt/boot/address_plan.hpp"
#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/boot/pool.hpp"
#include "mgmt/boot/rendered.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

std::optional<MacAddress> mac_of(const Document& machine) {
    return MacAddress::parse(machine.text("mac"));
}

// As if the machine had never been here, but for its timeline.
Outcome<bool> drop_machine(Batch& batch, Id id) {
    const auto stored = find(batch, kMachines, id);
    if (!stored) return pass_on(stored.error());
    if (!*stored) return false;
    json fields = (*stored)->fields;
    if (auto displaced = displace(batch, fields); !displaced) return pass_on(displaced.error());
    if (const auto mac = mac_of(**stored))
        if (auto withheld = withhold_machine(batch, *mac); !withheld) return pass_on(withheld.error());
    if (auto removed = remove_token(batch, id); !removed) return pass_on(removed.error());
    return erase(batch, kMachines, id);
}

// A document that stands where this one will: a later change of its own says what became of it.
Outcome<void> make_way(Batch& batch, const Collection& collection, const Document& document) {
    const auto others = in_the_way(batch, collection, document);
    if (!others) return pass_on(others.error());
    for (const Id& id : *others)
        if (auto dropped = drop_document(batch, collection, id); !dropped) return pass_on(dropped.error());
    return {};
}

void keep_findings(const Document& stored, Document& document) {
    const bool is_word = document.text("status") == "MAINTENANCE" || stored.text("status") == "MAINTENANCE";
    for (const char* name : {"status", "health", "verdict", "hardware"}) {
        if (is_word && std::string_view(name) == "status") continue;
        const auto found = stored.fields.find(name);
        if (found != stored.fields.end())
            document.fields[name] = *found;
        else
            document.fields.erase(name);
    }
}

Outcome<void> adopt_machine(Batch& batch, const Appliance& appliance, Document document) {
    if (!mac_of(document)) return refuse(Failure::Kind::invalid, "a machine without a hardware address");
    const auto stored = find(batch, kMachines, document.id);
    if (!stored) return pass_on(stored.error());
    if (*stored) {
        keep_findings(**stored, document);
        const auto old_mac = mac_of(**stored);
        const bool is_another = old_mac != mac_of(document);
        if (is_another || (*stored)->text("ip") != document.text("ip") ||
            (*stored)->text("ip6") != document.text("ip6")) {
            json old = (*stored)->fields;
            if (auto displaced = displace(batch, old); !displaced) return displaced;
        }
        if (is_another && old_mac)
            if (auto withheld = withhold_machine(batch, *old_mac); !withheld) return withheld;
    }
    if (auto adopted = adopt(batch, kMachines, document); !adopted) return adopted;
    if (auto occupied = occupy(batch, document.fields); !occupied) return occupied;
    return project_machine(batch, appliance, document);
}

}  // namespace

Outcome<void> adopt_document(Batch& batch, const Appliance& appliance, const Collection& collection,
                             Document document) {
    if (auto made = make_way(batch, collection, document); !made) return made;
    if (collection.kind == Kind::machine) return adopt_machine(batch, appliance, std::move(document));
    if (auto adopted = adopt(batch, collection, document); !adopted) return adopted;
    if (collection.kind == Kind::ip_pool) return project_pool(batch, document);
    if (collection.kind == Kind::boot_profile) return project_profile(batch, document);
    return {};
}

Outcome<bool> drop_document(Batch& batch, const Collection& collection, Id id) {
    if (collection.kind == Kind::machine) return drop_machine(batch, id);
    const auto stored = find(batch, collection, id);
    if (!stored) return pass_on(stored.error());
    if (!*stored) return false;
    Outcome<void> removed;
    if (collection.kind == Kind::ip_pool)
        removed = remove_pool(batch, **stored);
    else if (collection.kind == Kind::boot_profile)
        removed = remove_profile(batch, **stored);
    else if (auto erased = erase(batch, collection, id); !erased)
        removed = pass_on(erased.error());
    if (!removed) return pass_on(removed.error());
    return true;
}

Result<std::vector<Id>> machines_beside(const View& view, Id cluster, const std::vector<Id>& kept) {
    auto machines = ids_by(view, kMachineByCluster, cluster.to_string());
    if (!machines) return machines;
    std::erase_if(*machines,
                  [&kept](const Id& id) { return std::find(kept.begin(), kept.end(), id) != kept.end(); });
    return machines;
}

}  // namespace rouse::boot
