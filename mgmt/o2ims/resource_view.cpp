#include "mgmt/o2ims/resource_view.hpp"

#include "mgmt/events/text.hpp"
#include "mgmt/o2ims/alarm_definitions.hpp"
#include "mgmt/o2ims/measurements.hpp"
#include "mgmt/o2ims/uuid.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/boot_architecture.hpp"

#include <initializer_list>
#include <utility>

namespace rouse::o2ims {

using nlohmann::json;
using store::text_of_field;

namespace {

constexpr const char* kUnknown = "unknown";

std::string or_unknown(std::string text) {
    return text.empty() ? kUnknown : std::move(text);
}

// Adds a type to INTO and returns its id, which follows from its class, vendor and model.
std::string add_type(const Cloud& cloud, json& into, const char* what, const char* resource_class,
                     const std::string& vendor, const std::string& model) {
    const std::string id =
        named_id(cloud.id, "type/" + std::string(what) + "/" + vendor + "/" + model).to_string();
    const bool known = model != kUnknown;
    const std::string name = known ? (vendor == kUnknown ? model : vendor + " " + model) : std::string(what);
    into[id] = {{"resourceTypeId", id},
                {"name", name},
                {"description", std::string(known ? "A " : "An unidentified ") + what},
                {"vendor", vendor},
                {"model", model},
                {"version", kUnknown},
                {"resourceKind", "PHYSICAL"},
                {"resourceClass", resource_class},
                {"extensions", {{"part", what}}}};
    return id;
}

class Builder {
  public:
    Builder(const Cloud& cloud, const std::string& mac, const std::string& pool)
        : cloud_(cloud), id_(resource_id(cloud, mac)), pool_(pool) {
        view_.resource = {{"resourceId", id_},           {"resourcePoolId", pool}, {"globalAssetId", ""},
                          {"elements", json::array()},   {"tags", json::array()},  {"groups", json::array()},
                          {"extensions", json::object()}};
    }

    // A fact, and how it is known.
    void fact(const char* name, json value, const char* source, const std::string& at) {
        if (value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty())) return;
        json& extensions = view_.resource["extensions"];
        extensions[name] = std::move(value);
        extensions["sources"][name] = {{"source", source}, {"time", at}};
    }
    void add_hardware(const json& hardware, const std::string& at) {
        const json firmware = hardware.value("firmware", json::object());
        const std::string vendor = or_unknown(text_of_field(firmware, "vendor"));
        const std::string product = or_unknown(text_of_field(firmware, "product"));
        set_type(vendor, product);
        view_.resource["globalAssetId"] = text_of_field(firmware, "serial");
        for (const char* name : {"cpu", "memory_bytes", "firmware", "boot_mode", "kernel"})
            if (hardware.contains(name)) fact(name, hardware[name], "agent", at);
        for (const json& nic : hardware.value("interfaces", json::array()))
            add_element("network card", "NETWORKING", text_of_field(nic, "driver"),
                        text_of_field(nic, "name") + " " + text_of_field(nic, "mac"), nic);
        for (const json& disk : hardware.value("disks", json::array()))
            add_element("disk", "STORAGE", text_of_field(disk, "model"), text_of_field(disk, "name"), disk);
    }
    void set_type(const std::string& vendor, const std::string& product) {
        const std::string id = add_type(cloud_, view_.types, "server", "COMPUTE", vendor, product);
        view_.types[id]["alarmDictionaryId"] = alarm_dictionary_id(cloud_, AlarmSubject::server);
        view_.types[id]["performanceDictionaryId"] = dictionary_id(cloud_, MeasuredOf::server);
        view_.resource["resourceTypeId"] = id;
    }
    json& operator[](const char* attribute) { return view_.resource[attribute]; }
    ResourceView take() { return std::move(view_); }

  private:
    void add_element(const char* what, const char* resource_class, const std::string& model,
                     const std::string& name, const json& facts) {
        const std::string type =
            add_type(cloud_, view_.types, what, resource_class, kUnknown, or_unknown(model));
        json element{{"resourceId", named_id(cloud_.id, id_ + "/" + what + "/" + name).to_string()},
                     {"resourcePoolId", pool_},
                     {"resourceTypeId", type},
                     {"description", std::string(what) + " " + name},
                     {"globalAssetId", ""},
                     {"extensions", facts}};
        view_.resource["elements"].push_back(std::move(element));
    }

    const Cloud& cloud_;
    std::string id_;
    std::string pool_;
    ResourceView view_;
};

}  // namespace

std::string appliance_type_id(const Cloud& cloud) {
    return named_id(cloud.id, "type/appliance").to_string();
}

std::string resource_id(const Cloud& cloud, const std::string& mac) {
    return named_id(cloud.id, "server/" + mac).to_string();
}

ResourceView view_of_machine(const Cloud& cloud, const json& machine, const std::string& pool) {
    Builder out(cloud, text_of_field(machine, "mac"), pool);
    const std::string hostname = text_of_field(machine, "hostname");
    const std::string at = text_of_field(machine, "updated_at");
    out["description"] = hostname;
    const json hardware = machine.value("hardware", json::object());
    if (hardware.empty())
        out.set_type(kUnknown, kUnknown);
    else
        out.add_hardware(hardware, at);
    out["tags"].push_back("registered");
    for (const char* name : {"role", "os_type"})
        if (const auto word = text_of_field(machine, name); !word.empty()) out["tags"].push_back(word);
    if (const auto profile = text_of_field(machine, "boot_profile"); !profile.empty())
        out["groups"].push_back(profile);
    out.fact("machineId", machine.value("id", json()), "operator", text_of_field(machine, "created_at"));
    for (const char* name : {"hostname", "mac", "ip", "ip6", "cpu_cores"})
        if (machine.contains(name)) out.fact(name, machine[name], "operator", at);
    for (const char* name : {"status", "health", "verdict"})
        if (machine.contains(name)) out.fact(name, machine[name], "appliance", at);
    return out.take();
}

ResourceView view_of_stranger(const Cloud& cloud, const events::SeenStranger& stranger,
                              const std::string& pool) {
    const auto& [mac, seen] = stranger;
    Builder out(cloud, mac.to_string(), pool);
    out["description"] = "discovered, not registered";
    out.set_type(kUnknown, kUnknown);
    out["tags"].push_back("discovered");
    const std::string at = store::to_timestamp(seen.last_seen_ns);
    out.fact("mac", mac.to_string(), "dhcp", at);
    out.fact("vendorClass", std::string(seen.vendor_class.view()), "dhcp", at);
    if (seen.architecture != kArchitectureUnknown)
        out.fact("architecture", events::architecture_name(seen.architecture), "dhcp", at);
    out.fact("firstSeen", store::to_timestamp(seen.first_seen_ns), "dhcp", at);
    return out.take();
}

}  // namespace rouse::o2ims
