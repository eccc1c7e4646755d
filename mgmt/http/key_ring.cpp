#include "mgmt/http/key_ring.hpp"

#include "mgmt/http/base64.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <shared_mutex>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::http {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kSuffix = ".pem";

std::string file_name(std::int64_t made_ms) {
    char name[32];
    std::snprintf(name, sizeof name, "%016lld.pem", static_cast<long long>(made_ms));
    return name;
}

// Nothing for a name that file_name() has not made, such as that of a file that was not finished.
std::optional<std::int64_t> made_of(std::string_view name) {
    if (!name.ends_with(kSuffix)) return std::nullopt;
    name.remove_suffix(kSuffix.size());
    std::int64_t made = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), made);
    if (error != std::errc{} || end != name.data() + name.size() || name.empty()) return std::nullopt;
    return made;
}

// The "kid" of a token's header; empty when there is none.
std::string named_key(std::string_view token) {
    const auto header = base64url_decode(token.substr(0, token.find('.')));
    if (!header) return {};
    const auto parsed = json::parse(*header, nullptr, false);
    if (!parsed.is_object()) return {};
    const auto kid = parsed.find("kid");
    return kid != parsed.end() && kid->is_string() ? kid->get<std::string>() : std::string();
}

}  // namespace

class KeyRing::State {
  public:
    explicit State(KeyRingOptions options) : options_(std::move(options)) {}

    Result<void> load(std::int64_t now) {
        std::error_code error;
        fs::create_directories(options_.directory, error);
        if (error || ::chmod(options_.directory.c_str(), 0700) != 0)
            return fail("cannot make the directory of the token keys, " + options_.directory + ": " +
                        (error ? error.message() : std::strerror(errno)));
        if (auto taken = take_former(); !taken) return taken;
        for (const auto& entry : fs::directory_iterator(options_.directory, error))
            if (const auto made = made_of(entry.path().filename().string()))
                if (auto opened = add(*made); !opened) return opened;
        if (error) return fail("cannot read " + options_.directory + ": " + error.message());
        std::ranges::sort(slots_, std::greater{}, &Slot::made_ms);
        if (slots_.empty()) return rotate(now);
        return {};
    }

    // Tokens are verified meanwhile: a key is made, and its file written, before the others hear of it.
    Result<void> rotate(std::int64_t now) {
        // Never the same moment twice, nor an earlier one when the clock was set back: the newest signs.
        const std::int64_t made = slots_.empty() ? now * 1000 : std::max(now * 1000, slots_[0].made_ms + 1);
        auto key = TokenKey::open(path_of(made));
        if (!key) return tl::unexpected(key.error());
        const std::unique_lock lock(mutex_);
        slots_.insert(slots_.begin(), Slot{made, std::move(*key)});
        return {};
    }

    // What the key of SLOT signed has expired by then, in seconds; 0 for the one that still signs.
    [[nodiscard]] std::int64_t ends(std::size_t slot) const {
        return slot == 0 ? 0 : slots_[slot - 1].made_ms / 1000 + 1 + options_.token_life.count();
    }

    Result<bool> tend(std::int64_t now) {
        bool changed = false;
        if (options_.max_age.count() > 0 && slots_[0].made_ms / 1000 + options_.max_age.count() <= now) {
            if (auto rotated = rotate(now); !rotated) return tl::unexpected(rotated.error());
            changed = true;
        }
        while (slots_.size() > 1 && ends(slots_.size() - 1) <= now) {
            const std::string path = path_of(slots_.back().made_ms);
            if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove " + path);
            const std::unique_lock lock(mutex_);
            slots_.pop_back();
            changed = true;
        }
        return changed;
    }

    struct Slot {
        std::int64_t made_ms = 0;
        TokenKey key;
    };
    std::mutex changing_;              // held by who changes the ring, for as long as that takes
    mutable std::shared_mutex mutex_;  // of slots_, held by that one for a moment
    std::vector<Slot> slots_;          // newest first, never empty once loaded

  private:
    [[nodiscard]] std::string path_of(std::int64_t made_ms) const {
        return options_.directory + "/" + file_name(made_ms);
    }
    Result<void> add(std::int64_t made_ms) {
        auto key = TokenKey::open(path_of(made_ms));
        if (!key) return tl::unexpected(key.error());
        slots_.push_back({made_ms, std::move(*key)});
        return {};
    }
    Result<void> take_former() const {
        const auto& former = options_.former_key;
        struct stat status {};
        if (former.empty() || ::stat(former.c_str(), &status) != 0) return {};
        const std::string path = path_of(std::int64_t{status.st_mtim.tv_sec} * 1000);
        if (::rename(former.c_str(), path.c_str()) != 0)
            return fail_errno("cannot move the token key " + former + " to " + path);
        return {};
    }

    KeyRingOptions options_;
};

KeyRing::KeyRing(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
KeyRing::KeyRing(KeyRing&&) noexcept = default;
KeyRing& KeyRing::operator=(KeyRing&&) noexcept = default;
KeyRing::~KeyRing() = default;

Result<KeyRing> KeyRing::open(KeyRingOptions options, std::int64_t now) {
    auto state = std::make_unique<State>(std::move(options));
    if (auto loaded = state->load(now); !loaded) return tl::unexpected(loaded.error());
    KeyRing ring(std::move(state));
    if (auto tended = ring.tend(now); !tended) return tl::unexpected(tended.error());
    return ring;
}

Result<std::string> KeyRing::sign(const TokenClaims& claims) const {
    const std::shared_lock lock(state_->mutex_);
    return state_->slots_[0].key.sign(claims);
}

Result<TokenClaims> KeyRing::verify(std::string_view token, TokenUse use, std::int64_t now) const {
    const std::string id = named_key(token);
    const std::shared_lock lock(state_->mutex_);
    for (const auto& slot : state_->slots_)
        if (slot.key.id() == id) return slot.key.verify(token, use, now);
    return fail("the token is not one that this server signed");
}

Result<void> KeyRing::rotate(std::int64_t now) {
    const std::lock_guard lock(state_->changing_);
    return state_->rotate(now);
}

Result<bool> KeyRing::tend(std::int64_t now) {
    const std::lock_guard lock(state_->changing_);
    return state_->tend(now);
}

std::vector<KeyRing::Key> KeyRing::keys() const {
    const std::shared_lock lock(state_->mutex_);
    std::vector<Key> out;
    for (std::size_t i = 0; i < state_->slots_.size(); ++i) {
        const auto& slot = state_->slots_[i];
        out.push_back({slot.key.id(), slot.made_ms / 1000, state_->ends(i)});
    }
    return out;
}

json KeyRing::jwks() const {
    const std::shared_lock lock(state_->mutex_);
    json keys = json::array();
    for (const auto& slot : state_->slots_) keys.push_back(slot.key.jwk());
    return {{"keys", std::move(keys)}};
}

}  // namespace rouse::http
