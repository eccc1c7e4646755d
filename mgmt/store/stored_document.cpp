#include "mgmt/store/stored_document.hpp"

#include "shared/endian.hpp"

#include <cstring>

namespace rouse::store {
namespace {

// Where the JSON value that begins at AT is over: at the comma or the brace behind it. npos: it does not end.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    unsigned depth = 0;
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            if (c == '\\')
                ++at;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return at;
            --depth;
        } else if (c == ',' && depth == 0) {
            return at;
        }
    }
    return std::string_view::npos;
}

// TEXT is an object as write() in documents.cpp leaves it: members in the order of their names, without
// blanks. So the appliance's own, whose names begin with an underscore, come before all that begin with a
// small letter. Nothing when it is damaged.
std::optional<std::string_view> visible_members(std::string_view text) {
    if (!text.starts_with('{') || !text.ends_with('}')) return std::nullopt;
    std::size_t at = 1;
    while (text.substr(at).starts_with("\"_")) {
        at = end_of_value(text, at);
        if (at == std::string_view::npos) return std::nullopt;
        if (text[at] == ',') ++at;
    }
    return text.substr(at);
}

// Documents lie in LMDB's pages in an order that no processor foresees: asked for one by one, each is waited
// for.
class PageAhead {
  public:
    void read(const std::byte* in_page) noexcept {
        const auto* page = in_page - reinterpret_cast<std::uintptr_t>(in_page) % kPage;
        if (page == last_) return;
        last_ = page;
        for (std::size_t at = 0; at < kPage; at += kLine) __builtin_prefetch(page + at);
    }

  private:
    static constexpr std::size_t kPage = 4096, kLine = 64;
    const std::byte* last_ = nullptr;
};

Result<StoredDocument> to_stored(const Collection& collection, const Id& id, Bytes value) {
    const auto stored = split_stored(value);
    const auto members = stored ? visible_members(stored->json) : std::nullopt;
    if (!members)
        return fail("the stored " + std::string(collection.noun) + " " + id.to_string() +
                    " is damaged; restore a backup");
    return StoredDocument{id, stored->revision, *members};
}

}  // namespace

std::optional<StoredValue> split_stored(Bytes value) {
    be64 revision;
    if (value.size() <= sizeof revision) return std::nullopt;
    std::memcpy(&revision, value.data(), sizeof revision);
    return StoredValue{revision.host(), text_of(value.subspan(sizeof revision))};
}

Result<std::uint64_t> stored_revision(const View& view, Kind kind, const Id& id) {
    const auto& tables = view.own().documents;
    const auto at = static_cast<std::size_t>(kind);
    if (at >= tables.size() || tables[at].handle == 0) return 0;
    const auto value = view.txn().get(tables[at], bytes_of(id));
    if (!value) return tl::unexpected(value.error());
    const auto stored = *value ? split_stored(**value) : std::nullopt;
    return stored ? stored->revision : 0;
}

Result<std::optional<StoredDocument>> find_stored(const View& view, const Collection& collection, Id id) {
    const auto value = view.txn().get(collection.table(view), bytes_of(id));
    if (!value) return tl::unexpected(value.error());
    if (!*value) return std::optional<StoredDocument>{};
    const auto stored = to_stored(collection, id, **value);
    if (!stored) return tl::unexpected(stored.error());
    return *stored;
}

Result<void> for_each_stored(const View& view, const Collection& collection, std::optional<Id> after,
                             const VisitStored& visit) {
    Result<void> result;
    PageAhead ahead;
    const auto scanned = scan(view.txn(), collection.table(view), after ? bytes_of(*after) : Bytes{},
                              [&](Bytes key, Bytes value) {
                                  ahead.read(value.data());
                                  Id id;
                                  if (key.size() != sizeof id) return true;
                                  std::memcpy(&id, key.data(), sizeof id);
                                  if (id == after) return true;
                                  const auto stored = to_stored(collection, id, value);
                                  if (stored) return visit(*stored);
                                  result = tl::unexpected(stored.error());
                                  return false;
                              });
    return scanned ? result : scanned;
}

}  // namespace rouse::store
