#include "mgmt/boot/rendered.hpp"

#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/boot_token.hpp"
#include "mgmt/boot/cmdline.hpp"
#include "mgmt/boot/image_name.hpp"
#include "mgmt/boot/own_files.hpp"
#include "mgmt/boot/sha256.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

// Stands for a token where only the rest matters.
constexpr const char* kAnyToken = "-";

Outcome<MachineValues> values_of(const View& view, const Document& machine, const Document& profile,
                                 const Appliance& appliance) {
    MachineValues values{.hostname = machine.text("hostname"),
                         .mac = machine.text("mac"),
                         .mac_dashes = machine.text("mac"),
                         .ip = machine.text("ip"),
                         .netmask = {},
                         .gateway = {},
                         .cluster = {},
                         .profile = profile.text("name"),
                         .server = appliance.address().is_zero() ? "" : appliance.address().to_string(),
                         .url = appliance.url(),
                         .token = {}};
    std::replace(values.mac_dashes.begin(), values.mac_dashes.end(), ':', '-');
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

// All that is made for a machine.
struct Rendered {
    std::string line;  // empty: its profile has no kernel
    std::vector<OwnFile> files;

    [[nodiscard]] bool empty() const noexcept { return line.empty() && files.empty(); }
    [[nodiscard]] std::string digest() const {
        std::string all = line;
        for (const auto& file : files) all += '\0' + file.name + '\0' + file.value;
        return to_hex(sha256(bytes_of(std::string_view(all))));
    }
};

Outcome<OwnFile> render_file(const FileTemplate& source, const MachineValues& values) {
    const auto name = render_template(source.name, values);
    if (!name) return refuse(Failure::Kind::invalid, name.error().message, source.pointer + "/name");
    if (const auto checked = check_image_name(*name); !checked)
        return refuse(Failure::Kind::invalid,
                      "is \"" + *name + "\" for " + values.hostname + ": " + checked.error().message,
                      source.pointer + "/name");
    auto text = render_template(source.content, values);
    if (!text) return refuse(Failure::Kind::invalid, text.error().message, source.pointer + "/content");
    if (text->size() > kMaxRenderedBytes)
        return refuse(Failure::Kind::invalid,
                      "is longer than " + std::to_string(kMaxRenderedBytes) + " bytes for " + values.hostname,
                      source.pointer + "/content");
    return OwnFile{*name, ContentKind::rendered, std::move(*text)};
}

Outcome<Rendered> render(const Document& profile, MachineValues values, const std::string& token) {
    values.token = token;
    Rendered out;
    if (!profile.text("kernel").empty()) {
        const auto line = render_boot_line(profile.text("cmdline"), values);
        if (!line)
            return refuse(Failure::Kind::invalid, "the boot profile's cmdline " + line.error().message,
                          "/cmdline");
        if (line->size() > kMaxRenderedBytes)
            return refuse(Failure::Kind::invalid, "the boot line of " + values.hostname + " is too long",
                          "/cmdline");
        out.line = *line;
    }
    for (const auto& source : templates_of(profile.fields)) {
        if (source.is_same_for_all) continue;
        auto file = render_file(source, values);
        if (!file) return pass_on(file.error());
        out.files.push_back(std::move(*file));
    }
    return out;
}

Outcome<std::optional<Document>> token_of(const View& view, Id machine) {
    auto token = find_by(view, kBootTokens, kBootTokenByMachine, machine.to_string());
    if (!token) return pass_on(token.error());
    return std::move(*token);
}

Outcome<void> store_token(Batch& batch, Id machine, std::optional<Document> token, const std::string& fresh,
                          const std::string& digest) {
    if (!token) {
        const auto made = insert(batch, kBootTokens,
                                 {{"machine", machine.to_string()},
                                  {"hash", hash_token(fresh)},
                                  {"rendered", digest},
                                  {"made_unix", batch.now_unix()}});
        if (!made) return pass_on(made.error());
        return {};
    }
    token->fields["previous_hash"] = token->fields["hash"];
    token->fields["hash"] = hash_token(fresh);
    token->fields["rendered"] = digest;
    token->fields["made_unix"] = batch.now_unix();
    const auto updated = update(batch, kBootTokens, std::move(*token));
    if (!updated) return pass_on(updated.error());
    return {};
}

Outcome<void> publish(Batch& batch, const MacAddress& mac, const Rendered& rendered, HostRecord& host) {
    if (auto set = set_files(batch, {.machine = mac}, rendered.files); !set) return set;
    return replace_line(batch, host, rendered.line);
}

}  // namespace

Outcome<void> render_machine(Batch& batch, const Appliance& appliance, const Document& machine,
                             const Document& profile, HostRecord& host) {
    const auto values = values_of(batch, machine, profile, appliance);
    if (!values) return pass_on(values.error());
    // All of it but for the token: tells whether anything that a machine would notice has changed.
    const auto blank = render(profile, *values, kAnyToken);
    if (!blank) return pass_on(blank.error());
    const MacAddress mac = *MacAddress::parse(machine.text("mac"));
    if (blank->empty()) return remove_rendered(batch, mac, host);

    auto token = token_of(batch, machine.id);
    if (!token) return pass_on(token.error());
    const std::string digest = blank->digest();
    const bool is_good = *token && !(*token)->text("hash").empty() && (*token)->text("rendered") == digest;
    if (is_good && (host.line_id == 0) == blank->line.empty()) return {};

    const std::string fresh = make_token();
    const auto rendered = render(profile, *values, fresh);
    if (!rendered) return pass_on(rendered.error());
    if (auto published = publish(batch, mac, *rendered, host); !published) return published;
    return store_token(batch, machine.id, std::move(*token), fresh, digest);
}

Outcome<void> remove_rendered(Batch& batch, const MacAddress& mac, HostRecord& host) {
    return publish(batch, mac, {}, host);
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

Outcome<bool> let_token_go(Batch& batch, Id machine) {
    auto token = token_of(batch, machine);
    if (!token) return pass_on(token.error());
    if (!*token) return false;
    (*token)->fields["rendered"] = nullptr;
    const auto updated = update(batch, kBootTokens, std::move(**token));
    if (!updated) return pass_on(updated.error());
    return true;
}

Outcome<void> remove_token(Batch& batch, Id machine) {
    const auto token = token_of(batch, machine);
    if (!token) return pass_on(token.error());
    if (!*token) return {};
    if (auto erased = erase(batch, kBootTokens, (*token)->id); !erased) return pass_on(erased.error());
    return {};
}

}  // namespace rouse::boot
