// /api/boot-profiles/

#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/store/records.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

const http::Schema& template_schema() {
    static const http::Schema schema(
        "FileTemplate", "A file made for a boot profile's machines",
        {http::string("name", "as loaders ask for it; variables as in cmdline")
             .length(1, ImageName::kMaxLength)
             .required(),
         http::string("content", "its text; variables and sections as in Mustache")
             .length(0, kMaxRenderedBytes)
             .multiline()
             .required()});
    return schema;
}

const http::Schema& profile_schema() {
    constexpr std::size_t kName = ImageName::kMaxLength;
    static const http::Schema schema(
        "BootProfile", "What machines boot",
        {http::uuid("id", "identifies the profile").read_only(),
         http::string("name", "unique among profiles")
             .length(1, 100)
             .check(boot::is_profile_name, "must consist of letters, digits, dots, dashes and underscores")
             .required(),
         http::string("description", "for people").length(0, 1000).multiline(),
         http::map("loaders", "the image that each architecture's firmware is given", words(kLoaderNames),
                   http::string("loader", "an image's name").length(1, kName)),
         http::string("kernel", "image that iPXE, pxelinux and GRUB boot").length(0, kName),
         http::array(http::string("initrds", "images of its ramdisks").length(1, kName)).items(0, 8),
         http::string(
             "cmdline",
             "kernel command line; {{hostname}}, {{mac}}, {{mac-dashes}}, {{ip}}, {{netmask}}, "
             "{{gateway}}, {{cluster}}, {{profile}}, {{server}}, {{url}} and {{token}} stand for the "
             "machine's own")
             .length(0, 2048),
         http::array(http::object("templates",
                                  "files made for its machines, such as a preseed file; one with a name of a "
                                  "loader's configuration replaces all of that loader's",
                                  template_schema()))
             .items(0, 32),
         http::array(http::string("warnings", "what is missing for it to boot")).read_only(),
         http::timestamp("created_at", "when it was made").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

Outcome<Document> create_profile(Batch& batch, json fields) {
    if (auto checked = boot::check_profile(fields); !checked) return pass_on(checked.error());
    const auto number = batch.next_number("profile");
    if (!number) return pass_on(number.error());
    fields["_profile"] = *number;
    auto made = insert(batch, kBootProfiles, std::move(fields));
    if (!made) return made;
    if (auto projected = boot::project_profile(batch, *made); !projected) return pass_on(projected.error());
    return made;
}

Outcome<Document> change_profile(Batch& batch, const Document& current, json fields) {
    if (auto checked = boot::check_profile(fields); !checked) return pass_on(checked.error());
    // Others name it; the name cannot go away under them.
    if (fields.at("name") != current.fields.at("name"))
        if (auto unused = boot::check_unused(batch, current.text("name")); !unused) {
            Failure failure = unused.error();
            if (failure.kind == Failure::Kind::conflict) failure.pointer = "/name";
            return tl::unexpected(failure);
        }
    auto changed = update(batch, kBootProfiles, Document{current.id, current.revision, std::move(fields)});
    if (!changed) return changed;
    if (auto projected = boot::project_profile(batch, *changed); !projected)
        return pass_on(projected.error());
    return changed;
}

Outcome<void> remove_profile(Batch& batch, const Document& profile) {
    if (auto unused = boot::check_unused(batch, profile.text("name")); !unused) return unused;
    return boot::remove_profile(batch, profile);
}

// Machines' boot lines and files are made of their profile.
boost::asio::awaitable<Outcome<void>> after_change(const Services& services, std::string profile) {
    std::vector<Id> machines;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return pass_on(snapshot.error());
        auto found = boot::machines_using(*snapshot, profile);
        if (!found) co_return pass_on(found.error());
        machines = std::move(*found);
    }
    if (auto guests = co_await project_guests_of(services, profile); !guests) co_return guests;
    co_return co_await project_machines(services, std::move(machines));
}

}  // namespace

void add_boot_profiles(http::Router& router, const Services& services) {
    Resource resource{.paths = {"/api/boot-profiles"},
                      .tag = "Boot profiles",
                      .collection = kBootProfiles,
                      .schema = profile_schema(),
                      .indexed = {{"name", &kProfileByName}}};
    resource.create = create_profile;
    resource.change = change_profile;
    resource.remove = [](Batch& batch, const Document& current, bool) {
        return remove_profile(batch, current);
    };
    resource.follow_up = [services](const Document*, const Document& now) {
        return after_change(services, now.text("name"));
    };
    resource.decorate = [](const View& view, json& answer) -> Outcome<void> {
        const auto warnings = boot::warnings_about(view, answer);
        if (!warnings) return pass_on(warnings.error());
        answer["warnings"] = *warnings;
        return {};
    };
    add_resource(router, services, std::move(resource));
}

}  // namespace rouse::ims
