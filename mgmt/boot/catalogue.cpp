#include "mgmt/boot/catalogue.hpp"

#include "mgmt/boot/image_name.hpp"
#include "mgmt/boot/retired.hpp"
#include "shared/endian.hpp"
#include "shared/store/framed_text.hpp"

#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

constexpr std::string_view kTrashPrefix = ".trash-";
constexpr std::size_t kCollectAtOnce = 256;

// Nothing names HASH any more: the dataplane lets go of it, its file follows later.
Outcome<void> retire_if_unnamed(Batch& batch, const std::string& hex) {
    const auto hash = sha256_from_hex(hex);
    const auto names = ids_by(batch, kImageBySha256, hex);
    if (!names) return pass_on(names.error());
    if (!hash || !names->empty()) return {};
    if (auto removed = batch.remove(batch.tables().images, bytes_of(*hash)); !removed)
        return pass_on(removed.error());
    return retire_image(batch, *hash);
}

// Hashes in table `retired`: their files are still wanted.
Result<std::set<std::string>> retired_hashes(const View& view) {
    std::set<std::string> hashes;
    const auto scanned = scan(view.txn(), view.own().retired, {}, [&hashes](Bytes key, Bytes) {
        if (key.size() > sizeof(Sha256)) {
            const auto hash = key.last(sizeof(Sha256));
            hashes.insert(to_hex({reinterpret_cast<const std::uint8_t*>(hash.data()), hash.size()}));
        }
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return hashes;
}

}  // namespace

Result<Catalogue> Catalogue::open(std::string images_dir, Writer& writer) {
    std::error_code error;
    std::filesystem::create_directories(images_dir, error);
    if (error) return fail("cannot create the images' directory " + images_dir + ": " + error.message());
    Catalogue catalogue(std::move(images_dir));
    const auto snapshot = writer.store().snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    if (auto removed = catalogue.remove_leftovers(*snapshot); !removed)
        return tl::unexpected(removed.error());
    return catalogue;
}

std::string Catalogue::path_of(const Sha256& hash) const {
    return images_dir_ + "/" + to_hex(hash);
}

std::string Catalogue::trash_of(const Sha256& hash) const {
    return images_dir_ + "/" + std::string(kTrashPrefix) + to_hex(hash);
}

Result<void> Catalogue::remove_leftovers(const View& view) const {
    const auto retired = retired_hashes(view);
    if (!retired) return tl::unexpected(retired.error());
    std::error_code error;
    std::vector<std::string> files;
    for (std::filesystem::directory_iterator entry(images_dir_, error), end; !error && entry != end;
         entry.increment(error))
        files.push_back(entry->path().filename());
    if (error) return fail("cannot read the images' directory " + images_dir_ + ": " + error.message());
    for (const std::string& file : files) {
        const bool in_trash = file.starts_with(kTrashPrefix);
        const std::string hex = in_trash ? file.substr(kTrashPrefix.size()) : file;
        const bool is_content = sha256_from_hex(hex).has_value();
        if (!is_content && !in_trash && !file.starts_with(Upload::kPrefix)) continue;
        const auto names = is_content ? ids_by(view, kImageBySha256, hex) : Result<std::vector<Id>>{};
        if (!names) return tl::unexpected(names.error());
        const bool wanted = is_content && (!names->empty() || retired->count(hex) != 0);
        const std::string path = images_dir_ + "/" + file;
        // Collected in a transaction that was never committed: it is a content still.
        if (wanted && in_trash) ::rename(path.c_str(), (images_dir_ + "/" + hex).c_str());
        if (!wanted) std::filesystem::remove_all(path, error);  // a directory, too: a backup's
    }
    return {};
}

Outcome<void> Catalogue::point(Batch& batch, std::string_view name, const Content& content) const {
    if (const auto checked = check_image_name(name); !checked)
        return refuse(Failure::Kind::invalid, checked.error().message);
    if (::access(path_of(content.hash).c_str(), R_OK) != 0)
        return refuse(Failure::Kind::gone, "the image's content was removed meanwhile; send it again");
    ImageRecord image_record;
    image_record.size = content.size;
    if (auto put = batch.put_record(batch.tables().images, bytes_of(content.hash), image_record); !put)
        return pass_on(put.error());
    NameRecord name_record;
    name_record.size = content.size;
    name_record.hash = content.hash;
    if (auto put = batch.put_record(batch.tables().names, NameKey::common(name)->bytes(), name_record); !put)
        return pass_on(put.error());
    return {};
}

Outcome<Catalogue::Named> Catalogue::name(Batch& batch, std::string_view name, const Content& content) const {
    if (auto pointed = point(batch, name, content); !pointed) return pass_on(pointed.error());
    const std::string hex = to_hex(content.hash);
    auto image = find_by(batch, kImages, kImageByName, name);
    if (!image) return pass_on(image.error());

    nlohmann::json fields = {{"name", name}, {"size", content.size}, {"sha256", hex}};
    if (!*image) {
        auto made = insert(batch, kImages, std::move(fields));
        if (!made) return pass_on(made.error());
        return Named{std::move(*made), true};
    }
    const std::string old_hex = (*image)->text("sha256");
    (*image)->fields = std::move(fields);
    auto updated = update(batch, kImages, std::move(**image));
    if (!updated) return pass_on(updated.error());
    if (old_hex != hex)
        if (auto retired = retire_if_unnamed(batch, old_hex); !retired) return pass_on(retired.error());
    return Named{std::move(*updated), false};
}

Outcome<void> Catalogue::adopt(Batch& batch, const Document& image) const {
    const std::string name = image.text("name");
    const auto hash = sha256_from_hex(image.text("sha256"));
    if (!hash) return refuse(Failure::Kind::invalid, "the image " + name + " has no SHA-256");
    const Content content{*hash, image.fields.value("size", std::uint64_t{0})};
    if (auto pointed = point(batch, name, content); !pointed) return pointed;
    const auto stored = find(batch, kImages, image.id);
    if (!stored) return pass_on(stored.error());
    // The name may have been deleted and made anew at the centre: then another document has it here.
    const auto others = in_the_way(batch, kImages, image);
    if (!others) return pass_on(others.error());
    std::vector<std::string> old;
    if (*stored) old.push_back((*stored)->text("sha256"));
    for (const Id& id : *others) {
        const auto other = find(batch, kImages, id);
        if (!other) return pass_on(other.error());
        if (*other) old.push_back((*other)->text("sha256"));
        if (auto erased = erase(batch, kImages, id); !erased) return pass_on(erased.error());
    }
    if (auto adopted = store::adopt(batch, kImages, image); !adopted) return adopted;
    for (const std::string& hex : old)
        if (auto retired = retire_if_unnamed(batch, hex); !retired) return retired;
    return {};
}

Outcome<bool> Catalogue::remove(Batch& batch, std::string_view name) const {
    const auto image = find_by(batch, kImages, kImageByName, name);
    if (!image) return pass_on(image.error());
    if (!*image) return false;
    if (auto removed = batch.remove(batch.tables().names, NameKey::common(name)->bytes()); !removed)
        return pass_on(removed.error());
    if (auto erased = erase(batch, kImages, (*image)->id); !erased) return erased;
    if (auto retired = retire_if_unnamed(batch, (*image)->text("sha256")); !retired)
        return pass_on(retired.error());
    return true;
}

Outcome<std::size_t> Catalogue::collect(Writer& writer, Collect which) const {
    std::vector<Sha256> gone;
    const auto put_back = [this, &gone] {
        for (const auto& hash : gone) ::rename(trash_of(hash).c_str(), path_of(hash).c_str());
        gone.clear();
    };
    const auto collected = writer.run([this, &gone, &put_back, which](Batch& batch) -> Outcome<void> {
        // Run once more, without another operation that may have taken a content's last name away.
        put_back();
        auto due = collect_retired(batch, kCollectAtOnce, which);
        if (!due) return pass_on(due.error());
        // Out of the way here, where no upload can be about to name it; removing a large file takes long and
        // is done afterwards. Gone already, when a crash came between this and the commit: also well.
        for (const auto& hash : *due) ::rename(path_of(hash).c_str(), trash_of(hash).c_str());
        gone = std::move(*due);
        return {};
    });
    if (!collected) {
        put_back();
        return pass_on(collected.error());
    }
    for (const auto& hash : gone) ::unlink(trash_of(hash).c_str());
    return gone.size();
}

Result<std::optional<NameRecord>> resolve(const View& view, const MacAddress& mac, const HostRecord& host,
                                          std::string_view name) {
    for (const auto& key : NameKey::in_order(mac, host.profile, name)) {
        if (!key) continue;
        const auto record = view.record<NameRecord>(view.tables().names, key->bytes());
        if (!record) return tl::unexpected(record.error());
        if (*record) return (*record)->seen_by(host);
    }
    return std::optional<NameRecord>{};
}

Result<std::optional<std::string>> read_text(const View& view, const HostRecord& host,
                                             const NameRecord& name) {
    const auto get = [&view](std::uint64_t id) {
        const be64 key(id);
        return view.txn().get(view.tables().rendered, bytes_of(key));
    };
    const auto text = get(name.rendered_id);
    if (!text) return tl::unexpected(text.error());
    if (!*text) return std::optional<std::string>{};
    if (name.kind == ContentKind::rendered) return std::optional(std::string(text_of(**text)));
    const auto line = get(host.line_id);
    if (!line) return tl::unexpected(line.error());
    const auto framed = *line ? FramedText::of(**text, **line) : std::nullopt;
    std::string whole(name.size, '\0');
    if (!framed || !framed->read(0, std::as_writable_bytes(std::span(whole))))
        return std::optional<std::string>{};
    return std::optional(std::move(whole));
}

}  // namespace rouse::boot
