#include "mgmt/boot/boot_profile.hpp"

#include "mgmt/boot/cmdline.hpp"
#include "mgmt/boot/image_name.hpp"
#include "mgmt/boot/loader_config.hpp"
#include "mgmt/boot/own_files.hpp"
#include "shared/boot_architecture.hpp"
#include "shared/endian.hpp"
#include "shared/store/framed_text.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored
using nlohmann::json;

namespace {

// Every image that the profile names, with the JSON pointer of where it does.
std::vector<std::pair<std::string, std::string>> images_of(const json& profile) {
    std::vector<std::pair<std::string, std::string>> images;
    if (const auto loaders = profile.find("loaders"); loaders != profile.end() && loaders->is_object())
        for (const auto& [loader, name] : loaders->items())
            if (name.is_string()) images.emplace_back("/loaders/" + loader, name.get<std::string>());
    if (const auto kernel = profile.find("kernel"); kernel != profile.end() && kernel->is_string())
        images.emplace_back("/kernel", kernel->get<std::string>());
    if (const auto initrds = profile.find("initrds"); initrds != profile.end() && initrds->is_array())
        for (std::size_t i = 0; i < initrds->size(); ++i)
            images.emplace_back("/initrds/" + std::to_string(i), (*initrds)[i].get<std::string>());
    return images;
}

// The documents of a small collection (clusters, pools) that name the profile.
Outcome<std::vector<Document>> naming(const View& view, const Collection& collection,
                                      std::string_view profile) {
    std::vector<Document> found;
    const auto listed = for_each(view, collection, std::nullopt, [&](Document document) {
        if (document.text("boot_profile") == profile) found.push_back(std::move(document));
        return true;
    });
    if (!listed) return pass_on(listed.error());
    return found;
}

Outcome<void> check_templates(const json& fields) {
    for (const auto& source : templates_of(fields)) {
        const std::string name = source.pointer + "/name", content = source.pointer + "/content";
        if (const auto checked = check_template(source.name); !checked)
            return refuse(Failure::Kind::invalid, checked.error().message, name);
        if (const auto checked = check_template(source.content); !checked)
            return refuse(Failure::Kind::invalid, checked.error().message, content);
        // What values do to a name is only known with them; what it is without any must be a name already.
        if (const auto checked = check_image_name(source.name); !checked)
            return refuse(Failure::Kind::invalid, checked.error().message, name);
        if (source.content.size() > kMaxRenderedBytes)
            return refuse(Failure::Kind::invalid,
                          "must not be longer than " + std::to_string(kMaxRenderedBytes) + " bytes", content);
    }
    return {};
}

// Whether one of the profile's templates takes the place of CONFIG. Of all its names: a loader would find the
// first of those that are left, and not the operator's.
bool is_replaced(const LoaderConfig& config, const std::vector<FileTemplate>& templates) {
    MachineValues any;
    any.mac_dashes = kOwnAddress;
    return std::any_of(templates.begin(), templates.end(), [&](const FileTemplate& source) {
        const auto name = render_template(source.name, any);
        return name && std::count(config.names.begin(), config.names.end(), *name) > 0;
    });
}

Outcome<void> check_quotes(const json& fields, const std::string& cmdline) {
    if (cmdline.find_first_of("\"\\") == std::string::npos) return {};
    const auto templates = templates_of(fields);
    for (const auto& config : loader_configs(fields))
        if (config.spoils_quotes && !is_replaced(config, templates))
            return refuse(Failure::Kind::invalid,
                          "must not hold double quotes or backslashes, which GRUB would pass on with "
                          "backslashes before them; if you need them, add a template of GRUB's configuration "
                          "to the profile, named grub/grub.cfg",
                          "/cmdline");
    return {};
}

// The files that are the same for all machines, but for their boot line.
std::vector<OwnFile> shared_files(const json& profile) {
    std::vector<OwnFile> files;
    const auto templates = templates_of(profile);
    for (const auto& config : loader_configs(profile)) {
        if (is_replaced(config, templates)) continue;
        const std::string frame = FramedText::encode(config.before, config.after);
        for (const auto& name : config.names) files.push_back({name, ContentKind::framed, frame});
    }
    for (const auto& source : templates)
        if (source.is_same_for_all)
            files.push_back({*render_template(source.name, {}), ContentKind::rendered,
                             *render_template(source.content, {})});
    return files;
}

}  // namespace

std::vector<FileTemplate> templates_of(const json& profile) {
    std::vector<FileTemplate> templates;
    const auto found = profile.find("templates");
    if (found == profile.end() || !found->is_array()) return templates;
    for (const auto& one : *found) {
        FileTemplate source{.name = text_of_field(one, "name"), .content = text_of_field(one, "content")};
        source.is_same_for_all = is_same_for_all(source.name) && is_same_for_all(source.content);
        source.pointer = "/templates/" + std::to_string(templates.size());
        templates.push_back(std::move(source));
    }
    return templates;
}

bool is_profile_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    });
}

Outcome<void> check_profile(const json& fields) {
    for (const auto& [pointer, name] : images_of(fields))
        if (const auto checked = check_image_name(name); !checked)
            return refuse(Failure::Kind::invalid, checked.error().message, pointer);
    const bool has_kernel = !text_of_field(fields, "kernel").empty();
    const auto initrds = fields.find("initrds");
    if (!has_kernel && initrds != fields.end() && !initrds->empty())
        return refuse(Failure::Kind::invalid, "ramdisks need a kernel", "/initrds");
    const std::string cmdline = text_of_field(fields, "cmdline");
    if (!has_kernel && !cmdline.empty())
        return refuse(Failure::Kind::invalid, "a command line needs a kernel", "/cmdline");
    if (const auto checked = check_cmdline(cmdline); !checked)
        return refuse(Failure::Kind::invalid, checked.error().message, "/cmdline");
    if (auto checked = check_templates(fields); !checked) return checked;
    return check_quotes(fields, cmdline);
}

Outcome<void> project_profile(Batch& batch, const Document& profile) {
    ProfileRecord record;
    record.id = profile.fields.value("_profile", ProfileId{0});
    if (!profile.text("kernel").empty()) record.flags |= ProfileRecord::kHasScript;
    const auto loaders = profile.fields.find("loaders");
    if (loaders != profile.fields.end() && loaders->is_object())
        for (const auto& [name, image] : loaders->items()) {
            const auto loader = parse_loader(name);
            if (!loader ||
                !record.loaders[static_cast<std::size_t>(*loader)].assign(image.get<std::string>()))
                return refuse(Failure::Kind::invalid, "no such loader, or its image's name is too long",
                              "/loaders/" + name);
        }
    const be32 key(record.id);
    const auto stored = batch.record<ProfileRecord>(batch.tables().profiles, bytes_of(key));
    if (!stored) return pass_on(stored.error());
    if (!*stored || std::memcmp(&**stored, &record, sizeof record) != 0)
        if (auto put = batch.put_record(batch.tables().profiles, bytes_of(key), record); !put)
            return pass_on(put.error());
    return set_files(batch, {.machine = {}, .profile = record.id}, shared_files(profile.fields));
}

Outcome<void> remove_profile(Batch& batch, const Document& profile) {
    const be32 id(profile.fields.value("_profile", ProfileId{0}));
    if (auto removed = batch.remove(batch.tables().profiles, bytes_of(id)); !removed)
        return pass_on(removed.error());
    if (auto removed = set_files(batch, {.machine = {}, .profile = id.host()}, {}); !removed) return removed;
    if (auto erased = erase(batch, kBootProfiles, profile.id); !erased) return pass_on(erased.error());
    return {};
}

Outcome<std::vector<std::string>> warnings_about(const View& view, const json& profile) {
    std::vector<std::string> warnings;
    std::set<std::string> seen;
    for (const auto& [pointer, name] : images_of(profile)) {
        // A loader's name with variables stands for many.
        if (name.find("{{") != std::string::npos || !seen.insert(name).second) continue;
        const auto image = find_by(view, kImages, kImageByName, name);
        if (!image) return pass_on(image.error());
        if (!*image)
            warnings.push_back("there is no image " + name + " yet; add it with: rousectl image put FILE " +
                               name);
    }
    return warnings;
}

Outcome<std::optional<Document>> profile_of(const View& view, const json& machine) {
    std::string name = text_of_field(machine, "boot_profile");
    for (const auto& [field, collection] : {std::pair{"cluster", &kClusters}, {"ip_pool", &kIpPools}}) {
        if (!name.empty()) break;
        const auto id = Id::parse(text_of_field(machine, field));
        if (!id) continue;
        const auto owner = find(view, *collection, *id);
        if (!owner) return pass_on(owner.error());
        if (*owner) name = (*owner)->text("boot_profile");
    }
    if (name.empty()) return std::optional<Document>{};
    auto profile = find_by(view, kBootProfiles, kProfileByName, name);
    if (!profile) return pass_on(profile.error());
    return std::move(*profile);
}

Outcome<std::vector<Id>> machines_using(const View& view, std::string_view profile) {
    auto machines = ids_by(view, kMachineByProfile, profile);
    if (!machines) return pass_on(machines.error());
    for (const auto& [collection, index] :
         {std::pair{&kClusters, &kMachineByCluster}, {&kIpPools, &kMachineByPool}}) {
        const auto owners = naming(view, *collection, profile);
        if (!owners) return pass_on(owners.error());
        for (const auto& owner : *owners) {
            const auto theirs = ids_by(view, *index, owner.id.to_string());
            if (!theirs) return pass_on(theirs.error());
            machines->insert(machines->end(), theirs->begin(), theirs->end());
        }
    }
    std::sort(machines->begin(), machines->end());
    machines->erase(std::unique(machines->begin(), machines->end()), machines->end());
    return std::move(*machines);
}

Outcome<void> check_unused(const View& view, std::string_view profile) {
    const auto machines = ids_by(view, kMachineByProfile, profile);
    if (!machines) return pass_on(machines.error());
    if (!machines->empty())
        return refuse(
            Failure::Kind::conflict,
            std::to_string(machines->size()) + " machines name this boot profile; give them another first");
    for (const auto* collection : {&kClusters, &kIpPools}) {
        const auto owners = naming(view, *collection, profile);
        if (!owners) return pass_on(owners.error());
        if (!owners->empty())
            return refuse(Failure::Kind::conflict, "the " + std::string(collection->noun) + " " +
                                                       owners->front().id.to_string() +
                                                       " names this boot profile; give it another first");
    }
    return {};
}

}  // namespace rouse::boot
