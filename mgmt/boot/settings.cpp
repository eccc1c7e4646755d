#include "mgmt/boot/settings.hpp"

#include "mgmt/boot/pool.hpp"

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

constexpr std::string_view kName = "dataplane";

Outcome<void> store_document(Batch& batch, const Settings& settings) {
    auto stored = find_by(batch, kSettings, kSettingByName, kName);
    if (!stored) return pass_on(stored.error());
    json fields = *stored ? (*stored)->fields : json{{"name", kName}};
    fields["dhcp"] = settings.dhcp;
    fields["proxy"] = settings.proxy;
    fields["tftp"] = settings.tftp;
    fields["block_size"] = settings.block_size;
    const auto written =
        *stored ? update(batch, kSettings, {(*stored)->id, (*stored)->revision, std::move(fields)})
                : insert(batch, kSettings, std::move(fields));
    return written ? Outcome<void>{} : pass_on(written.error());
}

Outcome<void> project_pools(Batch& batch) {
    std::vector<Document> pools;
    const auto listed = for_each(batch, kIpPools, std::nullopt, [&pools](Document pool) {
        pools.push_back(std::move(pool));
        return true;
    });
    if (!listed) return pass_on(listed.error());
    for (const Document& pool : pools)
        if (auto projected = project_pool(batch, pool); !projected) return projected;
    return {};
}

}  // namespace

Outcome<Settings> read_settings(const View& view) {
    const auto stored = find_by(view, kSettings, kSettingByName, kName);
    if (!stored) return pass_on(stored.error());
    Settings settings;
    if (!*stored) return settings;
    const json& fields = (*stored)->fields;
    settings.dhcp = fields.value("dhcp", settings.dhcp);
    settings.proxy = fields.value("proxy", settings.proxy);
    settings.tftp = fields.value("tftp", settings.tftp);
    settings.block_size = fields.value("block_size", settings.block_size);
    return settings;
}

Outcome<void> write_settings(Batch& batch, const Settings& settings) {
    const auto before = read_settings(batch);
    if (!before) return pass_on(before.error());
    if (auto stored = store_document(batch, settings); !stored) return stored;
    SwitchRecord record;
    record.dhcp_enabled = settings.dhcp ? 1 : 0;
    record.tftp_enabled = settings.tftp ? 1 : 0;
    record.max_block_size = settings.block_size;
    if (auto put = batch.put_record(batch.tables().switches, bytes_of(kDataplaneSwitches), record); !put)
        return pass_on(put.error());
    return before->proxy == settings.proxy ? Outcome<void>{} : project_pools(batch);
}

}  // namespace rouse::boot
