#include "mgmt/boot/rendered.hpp"

#include "mgmt/boot/boot_script.hpp"
#include "mgmt/boot/boot_token.hpp"
#include "mgmt/boot/cmdline.hpp"
#include "mgmt/boot/retired.hpp"
#include "mgmt/boot/sha256.hpp"
#include "shared/endian.hpp"
#include "shared/store/records.hpp"

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

NameKey script_key(const MacAddress& mac) {
    return *NameKey::machine(mac, kBootScriptName);
}

Outcome<CmdlineValues> values_of(const View& view, const Document& machine, const Appliance& appliance) {
    CmdlineValues values{.hostname = machine.text("hostname"),
                         .mac = machine.text("mac"),
                         .ip = machine.text("ip"),
                         .netmask = {},
                         .gateway = {},
                         .cluster = {},
                         .url = appliance.url(),
                         .token = {}};
    if (const auto id = Id::parse(machine.text("ip_pool"))) {
        const auto pool = find(view, kIpPools, *id);
        if (!pool) return pass_on(pool.error());
        if (*pool) {
            values.gateway = (*pool)->text("gateway");
            if (const auto prefix = Ipv4Prefix::parse((*pool)->text("cidr")))
                values.netmask = Ipv4Address::from_host(prefix->mask()).to_string();
        }
    }
    if (const auto id = Id::parse(machine.text("cluster"))) {
        const auto cluster = find(view, kClusters, *id);
        if (!cluster) return pass_on(cluster.error());
        if (*cluster) values.cluster = (*cluster)->text("name");
    }
    return values;
}

Outcome<std::string> script_text(const Document& machine, const Document& profile, CmdlineValues values,
                                 const std::string& token) {
    values.token = token;
    const auto cmdline = render_cmdline(profile.text("cmdline"), values);
    if (!cmdline)
        return refuse(Failure::Kind::invalid, "the boot profile's cmdline " + cmdline.error().message,
                      "/cmdline");
    BootScript script{.hostname = values.hostname,
                      .mac = *MacAddress::parse(values.mac),
                      .profile = profile.text("name"),
                      .kernel = profile.text("kernel"),
                      .initrds = profile.fields.value("initrds", std::vector<std::string>{}),
                      .cmdline = *cmdline,
                      .url = values.url,
                      .token = token};
    std::string text = render(script);
    if (text.size() > kMaxRenderedBytes)
        return refuse(Failure::Kind::invalid,
                      "the boot script of " + machine.text("hostname") + " is too long", "/cmdline");
    return text;
}

// Points the machine's script name at new content.
Outcome<void> publish(Batch& batch, const MacAddress& mac, const std::string& text) {
    if (auto removed = remove_script(batch, mac); !removed) return removed;
    const auto id = batch.next_number("rendered");
    if (!id) return pass_on(id.error());
    if (auto put = batch.put(batch.tables().rendered, bytes_of(be64(*id)), bytes_of(text)); !put)
        return pass_on(put.error());
    NameRecord name;
    name.kind = ContentKind::rendered;
    name.size = text.size();
    name.rendered_id = *id;
    if (auto put = batch.put_record(batch.tables().names, script_key(mac).bytes(), name); !put)
        return pass_on(put.error());
    return {};
}

Outcome<std::optional<Document>> token_of(const View& view, Id machine) {
    auto token = find_by(view, kBootTokens, kBootTokenByMachine, machine.to_string());
    if (!token) return pass_on(token.error());
    return std::move(*token);
}

}  // namespace

Outcome<void> render_script(Batch& batch, const Appliance& appliance, const Document& machine,
                            const Document& profile) {
    const auto values = values_of(batch, machine, appliance);
    if (!values) return pass_on(values.error());
    // The script but for its token: tells whether anything a machine would notice has changed.
    const auto blank = script_text(machine, profile, *values, "");
    if (!blank) return pass_on(blank.error());
    const std::string digest = to_hex(sha256(bytes_of(*blank)));

    const MacAddress mac = *MacAddress::parse(machine.text("mac"));
    const auto name = batch.record<NameRecord>(batch.tables().names, script_key(mac).bytes());
    if (!name) return pass_on(name.error());
    auto token = token_of(batch, machine.id);
    if (!token) return pass_on(token.error());
    if (*name && *token && !(*token)->text("hash").empty() && (*token)->text("script") == digest) return {};

    const std::string fresh = make_token();
    const auto text = script_text(machine, profile, *values, fresh);
    if (!text) return pass_on(text.error());
    if (auto published = publish(batch, mac, *text); !published) return published;
    if (!*token) {
        const auto made =
            insert(batch, kBootTokens,
                   {{"machine", machine.id.to_string()}, {"hash", hash_token(fresh)}, {"script", digest}});
        if (!made) return pass_on(made.error());
        return {};
    }
    (*token)->fields["previous_hash"] = (*token)->fields["hash"];
    (*token)->fields["hash"] = hash_token(fresh);
    (*token)->fields["script"] = digest;
    const auto updated = update(batch, kBootTokens, std::move(**token));
    if (!updated) return pass_on(updated.error());
    return {};
}

Outcome<void> remove_script(Batch& batch, const MacAddress& mac) {
    const auto name = batch.record<NameRecord>(batch.tables().names, script_key(mac).bytes());
    if (!name) return pass_on(name.error());
    if (!*name) return {};
    if (auto retired = retire_rendered(batch, (*name)->rendered_id); !retired) return retired;
    if (auto removed = batch.remove(batch.tables().names, script_key(mac).bytes()); !removed)
        return pass_on(removed.error());
    return {};
}

Outcome<void> retire_token(Batch& batch, Id machine, std::string_view shown) {
    auto token = token_of(batch, machine);
    if (!token) return pass_on(token.error());
    if (!*token) return {};
    (*token)->fields["spent_hash"] = hash_token(shown);
    (*token)->fields["previous_hash"] = nullptr;
    (*token)->fields["hash"] = nullptr;
    const auto updated = update(batch, kBootTokens, std::move(**token));
    if (!updated) return pass_on(updated.error());
    return {};
}

Outcome<void> remove_token(Batch& batch, Id machine) {
    const auto token = token_of(batch, machine);
    if (!token) return pass_on(token.error());
    if (!*token) return {};
    if (auto erased = erase(batch, kBootTokens, (*token)->id); !erased) return pass_on(erased.error());
    return {};
}

}  // namespace rouse::boot
