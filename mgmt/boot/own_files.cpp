#include "mgmt/boot/own_files.hpp"

#include "mgmt/boot/retired.hpp"
#include "shared/endian.hpp"
#include "shared/store/framed_text.hpp"

#include <cstring>
#include <map>
#include <set>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

// What the owner has now, by key.
Result<std::map<std::string, NameRecord>> files_of(const View& view, const FileOwner& owner) {
    // Of a name of one byte, without that byte: what all of the owner's keys begin with.
    const auto some = owner.key("-");
    const Bytes prefix = some->bytes().first(some->bytes().size() - 1);
    std::map<std::string, NameRecord> files;
    const auto scanned = scan(view.txn(), view.tables().names, prefix, [&](Bytes key, Bytes value) {
        if (!text_of(key).starts_with(text_of(prefix))) return false;
        files.emplace(text_of(key), decode<NameRecord>(value).value_or(NameRecord{}));
        return true;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    return files;
}

Outcome<std::uint64_t> put_rendered(Batch& batch, std::string_view value) {
    const auto id = batch.next_number("rendered");
    if (!id) return pass_on(id.error());
    const be64 key(*id);
    if (auto put = batch.put(batch.tables().rendered, bytes_of(key), bytes_of(value)); !put)
        return pass_on(put.error());
    return *id;
}

class FileSet {
  public:
    FileSet(Batch& batch, std::map<std::string, NameRecord> present)
        : batch_(batch), present_(std::move(present)) {}

    // Texts that are there already need not be written again.
    Outcome<void> learn_texts() {
        for (const auto& [key, name] : present_) {
            if (name.rendered_id == 0 || !old_ids_.insert(name.rendered_id).second) continue;
            const be64 id(name.rendered_id);
            const auto value = batch_.txn().get(batch_.tables().rendered, bytes_of(id));
            if (!value) return pass_on(value.error());
            if (*value) ids_.emplace(text_of(**value), name.rendered_id);
        }
        return {};
    }
    Outcome<void> put(const std::string& key, const OwnFile& file) {
        auto known = ids_.find(file.value);
        if (known == ids_.end()) {
            const auto id = put_rendered(batch_, file.value);
            if (!id) return pass_on(id.error());
            known = ids_.emplace(file.value, *id).first;
        }
        NameRecord record;
        record.kind = file.kind;
        record.rendered_id = known->second;
        record.size =
            file.kind == ContentKind::framed ? FramedText::text_bytes(file.value.size()) : file.value.size();
        old_ids_.erase(known->second);
        const auto present = present_.find(key);
        const bool same =
            present != present_.end() && std::memcmp(&present->second, &record, sizeof record) == 0;
        if (present != present_.end()) present_.erase(present);
        if (same) return {};
        if (auto written = batch_.put_record(batch_.tables().names, bytes_of(key), record); !written)
            return pass_on(written.error());
        return {};
    }
    // What was not put again goes.
    Outcome<void> finish() {
        for (const auto& [key, name] : present_)
            if (auto removed = batch_.remove(batch_.tables().names, bytes_of(key)); !removed)
                return pass_on(removed.error());
        for (const auto id : old_ids_)
            if (auto retired = retire_rendered(batch_, id); !retired) return retired;
        return {};
    }

  private:
    Batch& batch_;
    std::map<std::string, NameRecord> present_;  // not put again so far
    std::map<std::string, std::uint64_t> ids_;   // of texts
    std::set<std::uint64_t> old_ids_;            // not used again so far
};

}  // namespace

Outcome<void> set_files(Batch& batch, const FileOwner& owner, const std::vector<OwnFile>& files) {
    auto present = files_of(batch, owner);
    if (!present) return pass_on(present.error());
    if (present->empty() && files.empty()) return {};
    std::map<std::string, const OwnFile*> wanted;
    for (const auto& file : files)
        if (const auto key = owner.key(file.name)) wanted[std::string(text_of(key->bytes()))] = &file;
    FileSet set(batch, std::move(*present));
    if (auto learnt = set.learn_texts(); !learnt) return learnt;
    for (const auto& [key, file] : wanted)
        if (auto put = set.put(key, *file); !put) return put;
    return set.finish();
}

Outcome<void> replace_line(Batch& batch, HostRecord& host, std::string_view line) {
    if (host.line_id != 0)
        if (auto retired = retire_rendered(batch, host.line_id); !retired) return retired;
    host.line_id = 0;
    host.line_bytes = static_cast<std::uint32_t>(line.size());
    if (line.empty()) return {};
    const auto id = put_rendered(batch, line);
    if (!id) return pass_on(id.error());
    host.line_id = *id;
    return {};
}

}  // namespace rouse::boot
