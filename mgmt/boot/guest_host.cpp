#include "mgmt/boot/guest_host.hpp"

#include "mgmt/boot/cmdline.hpp"
#include "mgmt/boot/own_files.hpp"
#include "mgmt/boot/retired.hpp"
#include "shared/endian.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

// Empty: the profile has no kernel.
std::string line_of(const Appliance& appliance, const Pool& pool, const Document& profile,
                    const MacAddress& mac, Ipv4Address address) {
    if (profile.text("kernel").empty()) return {};
    MachineValues values;
    values.mac = values.mac_dashes = mac.to_string();
    std::replace(values.mac_dashes.begin(), values.mac_dashes.end(), ':', '-');
    values.ip = address.to_string();
    values.netmask = Ipv4Address::from_host(pool.network.prefix.mask()).to_string();
    if (!pool.network.gateway.is_zero()) values.gateway = pool.network.gateway.to_string();
    values.profile = profile.text("name");
    if (!appliance.address().is_zero()) values.server = appliance.address().to_string();
    values.url = appliance.url();
    // Neither an address nor a number can spoil what was checked when the profile was stored.
    return render_boot_line(profile.text("cmdline"), values).value_or("");
}

Outcome<bool> has_line(const View& view, const HostRecord& host, std::string_view line) {
    if (host.line_id == 0) return line.empty();
    const be64 key(host.line_id);
    const auto stored = view.txn().get(view.tables().rendered, bytes_of(key));
    if (!stored) return pass_on(stored.error());
    return *stored && text_of(**stored) == line;
}

}  // namespace

Outcome<void> render_guest(Batch& batch, const Appliance& appliance, const Pool& pool,
                           const std::optional<Document>& profile, const MacAddress& mac, HostRecord& host) {
    host.profile = profile ? profile->fields.value("_profile", ProfileId{0}) : 0;
    const std::string line = profile ? line_of(appliance, pool, *profile, mac, host.address) : std::string();
    const auto same = has_line(batch, host, line);
    if (!same) return pass_on(same.error());
    return *same ? Outcome<void>{} : replace_line(batch, host, line);
}

Outcome<void> remove_guest(Batch& batch, const MacAddress& mac, const HostRecord& host) {
    if (host.line_id != 0)
        if (auto retired = retire_rendered(batch, host.line_id); !retired) return retired;
    const auto removed = batch.remove(batch.tables().hosts, bytes_of(mac));
    return removed ? Outcome<void>{} : pass_on(removed.error());
}

}  // namespace rouse::boot
