#include "mgmt/boot/retired.hpp"

#include "mgmt/boot/sha256.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"
#include "shared/endian.hpp"

#include <cstring>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

namespace {

Outcome<void> retire(Batch& batch, ContentKind kind, Bytes content, std::uint64_t grace_seconds) {
    const be64 due(batch.now_unix() + grace_seconds);
    std::string key(text_of(bytes_of(due)));
    key += static_cast<char>(kind);
    key += text_of(content);
    if (auto put = batch.put(batch.own().retired, bytes_of(key), {}); !put) return pass_on(put.error());
    return {};
}

}  // namespace

Outcome<void> retire_rendered(Batch& batch, std::uint64_t rendered_id) {
    return retire(batch, ContentKind::rendered, bytes_of(be64(rendered_id)), kRenderedGraceSeconds);
}

Outcome<void> retire_image(Batch& batch, const Sha256& hash) {
    return retire(batch, ContentKind::image, bytes_of(hash), kImageGraceSeconds);
}

Outcome<std::vector<Sha256>> collect_retired(Batch& batch, std::size_t limit, Collect which) {
    constexpr std::size_t kHeader = sizeof(be64) + 1;
    std::vector<std::string> due;
    const auto scanned = scan(batch.txn(), batch.own().retired, {}, [&](Bytes key, Bytes) {
        be64 when;
        if (key.size() > kHeader) std::memcpy(&when, key.data(), sizeof when);
        if (due.size() == limit) return false;
        const bool is_due = when.host() <= batch.now_unix();
        if (!is_due && which == Collect::due) return false;
        const bool is_image = key.size() == kHeader + sizeof(Sha256);
        if (is_due || is_image) due.emplace_back(text_of(key));
        return true;
    });
    if (!scanned) return pass_on(scanned.error());

    std::vector<Sha256> images;
    for (const std::string& key : due) {
        if (auto removed = batch.remove(batch.own().retired, bytes_of(key)); !removed)
            return pass_on(removed.error());
        const std::string_view content = std::string_view(key).substr(kHeader);
        if (static_cast<ContentKind>(key[sizeof(be64)]) == ContentKind::rendered) {
            if (auto removed = batch.remove(batch.tables().rendered, bytes_of(content)); !removed)
                return pass_on(removed.error());
            continue;
        }
        Sha256 hash{};
        if (content.size() != hash.size()) continue;
        std::memcpy(hash.data(), content.data(), hash.size());
        const auto names = ids_by(batch, kImageBySha256, to_hex(hash));
        if (!names) return pass_on(names.error());
        if (names->empty()) images.push_back(hash);
    }
    return images;
}

}  // namespace rouse::boot
