#include "mgmt/workers/replica.hpp"

#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/boot/replica.hpp"
#include "mgmt/workers/feed.hpp"
#include "shared/store/tenure.hpp"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

namespace rouse::workers {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

constexpr std::string_view kState = "state";
constexpr std::string_view kWanted = "wanted:";  // before an image's id

std::string wanted_key(const Id& image) {
    return std::string(kWanted) + std::string(text_of(bytes_of(image)));
}

std::optional<Document> document_of(const json& one) {
    const auto id = Id::parse(one.at("fields").value("id", std::string()));
    if (!id) return std::nullopt;
    return Document{*id, one.value("revision", std::uint64_t{1}), one.at("fields")};
}

class Applying {
  public:
    Applying(Batch& batch, const boot::Appliance& appliance, const boot::Catalogue& catalogue)
        : batch_(batch), appliance_(appliance), catalogue_(catalogue) {}

    Outcome<void> documents(const json& answer) {
        for (const json& one : answer.at("documents")) {
            const auto* collection = feed_collection(one.at("kind").get_ref<const std::string&>());
            auto document = document_of(one);
            if (collection == nullptr || !document) continue;  // a newer centre's
            if (auto adopted = adopt(*collection, std::move(*document), one); !adopted) return adopted;
        }
        return {};
    }
    Outcome<void> removed(const json& answer) {
        for (const json& one : answer.at("removed")) {
            const auto* collection = feed_collection(one.at("kind").get_ref<const std::string&>());
            const auto id = Id::parse(one.at("id").get_ref<const std::string&>());
            if (collection == nullptr || !id) continue;
            if (auto dropped = drop(*collection, *id); !dropped) return dropped;
        }
        return {};
    }
    // Racks that are this appliance's no more.
    Outcome<void> racks(const json& answer) {
        std::set<Id> kept;
        for (const json& rack : answer.at("racks"))
            if (const auto id = Id::parse(rack.at("cluster").get_ref<const std::string&>())) kept.insert(*id);
        std::vector<Id> gone;
        const auto listed = for_each_key(batch_, kClusters, [&](Id id) {
            if (!kept.contains(id)) gone.push_back(id);
            return true;
        });
        if (!listed) return pass_on(listed.error());
        for (const Id& id : gone)
            if (auto dropped = drop_rack(id); !dropped) return dropped;
        return {};
    }
    // What the centre did not name, of all that it has.
    Outcome<void> unseen(const Seen& seen) {
        for (const auto* collection : {&kMachines, &kClusters, &kIpPools, &kBootProfiles, &kImages}) {
            std::vector<Id> gone;
            const auto listed = for_each_key(batch_, *collection, [&](Id id) {
                if (!seen.contains({collection->kind, id})) gone.push_back(id);
                return true;
            });
            if (!listed) return pass_on(listed.error());
            for (const Id& id : gone)
                if (auto dropped = drop(*collection, id); !dropped) return dropped;
        }
        return {};
    }
    // Machines that share what has changed.
    Outcome<void> project() {
        for (const Id& id : touched_) {
            const auto machine = find(batch_, kMachines, id);
            if (!machine) return pass_on(machine.error());
            if (!*machine) continue;
            if (auto projected = boot::project_machine(batch_, appliance_, **machine); !projected)
                return projected;
        }
        return {};
    }

  private:
    Outcome<void> adopt(const Collection& collection, Document document, const json& one) {
        if (collection.kind == Kind::image) return want(document);
        const Id id = document.id;
        const std::string name = document.text("name");
        if (auto adopted = boot::adopt_document(batch_, appliance_, collection, std::move(document));
            !adopted)
            return adopted;
        Outcome<std::vector<Id>> machines;
        if (collection.kind == Kind::cluster) {
            if (auto dropped = drop_beside(id, one); !dropped) return dropped;
            machines = of(kMachineByCluster, id.to_string());
        } else if (collection.kind == Kind::ip_pool) {
            machines = of(kMachineByPool, id.to_string());
        } else if (collection.kind == Kind::boot_profile) {
            machines = boot::machines_using(batch_, name);
        }
        if (!machines) return pass_on(machines.error());
        touched_.insert(machines->begin(), machines->end());
        return {};
    }
    Outcome<std::vector<Id>> of(const Index& index, const std::string& value) {
        auto ids = ids_by(batch_, index, value);
        if (!ids) return pass_on(ids.error());
        return std::move(*ids);
    }
    Outcome<void> drop_beside(const Id& cluster, const json& one) {
        std::vector<Id> kept;
        for (const json& machine : one.value("machines", json::array()))
            if (const auto id = Id::parse(machine.get_ref<const std::string&>())) kept.push_back(*id);
        const auto gone = boot::machines_beside(batch_, cluster, kept);
        if (!gone) return pass_on(gone.error());
        for (const Id& id : *gone)
            if (auto dropped = drop(kMachines, id); !dropped) return dropped;
        return {};
    }
    Outcome<void> drop_rack(const Id& cluster) {
        const auto machines = of(kMachineByCluster, cluster.to_string());
        if (!machines) return pass_on(machines.error());
        for (const Id& id : *machines)
            if (auto dropped = drop(kMachines, id); !dropped) return dropped;
        return drop(kClusters, cluster);
    }
    Outcome<void> drop(const Collection& collection, const Id& id) {
        if (collection.kind != Kind::image) {
            const auto dropped = boot::drop_document(batch_, collection, id);
            return dropped ? Outcome<void>{} : pass_on(dropped.error());
        }
        if (auto removed = batch_.remove(batch_.own().following, bytes_of(wanted_key(id))); !removed)
            return pass_on(removed.error());
        const auto image = find(batch_, kImages, id);
        if (!image) return pass_on(image.error());
        if (!*image) return {};
        const auto removed = catalogue_.remove(batch_, (*image)->text("name"));
        return removed ? Outcome<void>{} : pass_on(removed.error());
    }
    Outcome<void> want(const Document& image) {
        const json value{{"revision", image.revision}, {"fields", image.fields}};
        const auto put =
            batch_.put(batch_.own().following, bytes_of(wanted_key(image.id)), bytes_of(value.dump()));
        return put ? Outcome<void>{} : pass_on(put.error());
    }

    Batch& batch_;
    const boot::Appliance& appliance_;
    const boot::Catalogue& catalogue_;
    std::set<Id> touched_;
};

// Names that some profile asks for itself; others are what loaders may look for.
Result<std::set<std::string>> named_by_profiles(const View& view) {
    std::set<std::string> names;
    const auto listed = for_each(view, kBootProfiles, std::nullopt, [&names](const Document& profile) {
        names.insert(profile.text("kernel"));
        for (const char* list : {"loaders", "initrds"})
            if (const auto found = profile.fields.find(list); found != profile.fields.end())
                for (const auto& name : *found)
                    if (name.is_string()) names.insert(name.get<std::string>());
        return true;
    });
    if (!listed) return tl::unexpected(listed.error());
    return names;
}

}  // namespace

Result<Following> read_following(const View& view) {
    const auto stored = view.txn().get(view.own().following, bytes_of(kState));
    if (!stored) return tl::unexpected(stored.error());
    Following out;
    if (!*stored) return out;
    const json fields = json::parse(text_of(**stored), nullptr, false);
    if (!fields.is_object())
        return fail("what this worker remembers of its centre is damaged; restore a backup");
    out.instance = fields.value("instance", std::string());
    out.token = fields.value("token", std::string());
    out.address = fields.value("address", std::string());
    out.epoch = fields.value("epoch", std::string());
    out.sequence = fields.value("sequence", std::uint64_t{0});
    out.mark = fields.value("mark", std::string());
    return out;
}

Result<void> write_following(Batch& batch, const Following& following) {
    const json fields{{"instance", following.instance}, {"token", following.token},
                      {"address", following.address},   {"epoch", following.epoch},
                      {"sequence", following.sequence}, {"mark", following.mark}};
    return batch.put(batch.own().following, bytes_of(kState), bytes_of(fields.dump()));
}

void note_seen(const json& answer, Seen& seen) {
    for (const json& one : answer.at("documents")) {
        const auto* collection = feed_collection(one.at("kind").get_ref<const std::string&>());
        const auto document = document_of(one);
        if (collection != nullptr && document) seen.insert({collection->kind, document->id});
    }
}

Outcome<void> apply_answer(Batch& batch, const boot::Appliance& appliance, const boot::Catalogue& catalogue,
                           const json& answer, const Seen& seen, std::uint64_t tenure_unix) {
    auto following = read_following(batch);
    if (!following) return pass_on(following.error());
    Applying applying(batch, appliance, catalogue);
    const bool complete = answer.at("complete"), more = answer.at("more");
    if (auto done = applying.racks(answer); !done) return done;
    if (auto done = applying.documents(answer); !done) return done;
    if (auto done = applying.removed(answer); !done) return done;
    const bool is_whole = !seen.empty() || complete;  // a walk through all that there is
    if (is_whole && !more)
        if (auto done = applying.unseen(seen); !done) return done;
    if (auto done = applying.project(); !done) return done;
    following->epoch = answer.at("epoch");
    following->mark = answer.at("mark");
    // A walk that is cut off begins anew: else what it would not have met stays for ever.
    following->sequence = is_whole && more ? 0 : answer.at("sequence").get<std::uint64_t>();
    if (auto written = write_following(batch, *following); !written) return pass_on(written.error());
    if (is_whole && more) return {};
    TenureRecord tenure;
    tenure.until_unix = tenure_unix;
    const auto put = batch.put_record(batch.tables().switches, bytes_of(kDataplaneTenure), tenure);
    return put ? Outcome<void>{} : pass_on(put.error());
}

Result<std::vector<Document>> wanted_images(const View& view) {
    std::vector<Document> out;
    const auto scanned =
        scan(view.txn(), view.own().following, bytes_of(kWanted), [&out](Bytes key, Bytes value) {
            if (!text_of(key).starts_with(kWanted)) return false;
            const json one = json::parse(text_of(value), nullptr, false);
            if (auto document = one.is_object() ? document_of(one) : std::nullopt)
                out.push_back(std::move(*document));
            return true;
        });
    if (!scanned) return tl::unexpected(scanned.error());
    const auto named = named_by_profiles(view);
    if (!named) return tl::unexpected(named.error());
    std::stable_partition(out.begin(), out.end(),
                          [&named](const Document& image) { return named->contains(image.text("name")); });
    return out;
}

Outcome<void> have_image(Batch& batch, const boot::Catalogue& catalogue, const Document& image) {
    const std::string key = wanted_key(image.id);
    const auto stored = batch.txn().get(batch.own().following, bytes_of(key));
    if (!stored) return pass_on(stored.error());
    const json one = *stored ? json::parse(text_of(**stored), nullptr, false) : json();
    if (!one.is_object() || one.at("fields") != image.fields) return {};
    if (auto adopted = catalogue.adopt(batch, image); !adopted) return adopted;
    const auto removed = batch.remove(batch.own().following, bytes_of(key));
    return removed ? Outcome<void>{} : pass_on(removed.error());
}

}  // namespace rouse::workers
