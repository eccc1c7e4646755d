#include "mgmt/o2ims/identity.hpp"

#include "mgmt/store/documents.hpp"

#include <utility>

namespace rouse::o2ims {

using store::Id;

namespace {

constexpr const char* kSetting = "o2ims";  // whose document's id is the O-Cloud's

Result<Id> own_id(store::Writer& writer) {
    const auto made = writer.run([](store::Batch& batch) -> Outcome<Id> {
        const auto known = store::find_by(batch, store::kSettings, store::kSettingByName, kSetting);
        if (!known) return pass_on(known.error());
        if (*known) return (*known)->id;
        const auto first = store::insert(batch, store::kSettings, {{"name", kSetting}});
        if (!first) return pass_on(first.error());
        return first->id;
    });
    if (!made) return fail(made.error().message);
    return *made;
}

}  // namespace

Result<Cloud> identify(store::Writer& writer, const Config& config) {
    const auto& said = config.o2ims;
    Cloud out{.name = said.name,
              .description = said.description,
              .service_uri = said.service_uri,
              .address = said.address,
              .profile = said.profile == "strict" ? Profile::strict : Profile::interop,
              .inventory_v2 = said.inventory_v2};
    if (said.ocloud_id.empty()) {
        const auto own = own_id(writer);
        if (!own) return tl::unexpected(own.error());
        out.id = *own;
    } else {
        const auto id = Id::parse(said.ocloud_id);
        if (!id) return fail("o2ims.ocloud_id " + said.ocloud_id + " is not a UUID");
        out.id = *id;
    }
    if (!said.global_cloud_id.empty() && !Id::parse(said.global_cloud_id))
        return fail("o2ims.global_cloud_id " + said.global_cloud_id + " is not a UUID");
    out.global_id = said.global_cloud_id.empty() ? out.id.to_string() : said.global_cloud_id;
    if (out.service_uri.empty())
        out.service_uri = (config.api.tls_certificate.empty() ? "http://" : "https://") + config.api.listen;
    return out;
}

}  // namespace rouse::o2ims
