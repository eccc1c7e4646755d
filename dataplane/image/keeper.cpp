#include "dataplane/image/keeper.hpp"

#include <algorithm>

namespace rouse::image {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{4} << 20;  // a few milliseconds: then something more urgent
                                                           // may go first
constexpr std::uint64_t kRetrySeconds = 10;
constexpr std::uint64_t kRestPerRead =
    10;                                    // times as long as reading a file in vain took, before it is again
constexpr std::uint64_t kIdleSeconds = 5;  // an image asked for since then is not displaced

constexpr std::uint64_t kSmallestShared = std::uint64_t{64} << 20;
// Transfers that wait for an image ask for it every few milliseconds: who has not for so long waits no more.
constexpr std::uint64_t kAwaitedSeconds = 2;

// What of the budget is for streams, at least: they may take what whole images leave. A small budget is for
// whole images alone.
constexpr std::uint64_t stream_bytes(std::uint64_t budget) noexcept {
    return budget < kSmallestShared ? 0 : budget / 8;
}

}  // namespace

Keeper::Keeper(ImageStore::Shared& shared, store::Environment& environment, const store::Tables& tables,
               ImageStore::Options options)
    : shared_(shared),
      environment_(environment),
      tables_(tables),
      options_(std::move(options)),
      feeder_(shared.streams, options_.directory, stream_bytes(options_.budget_bytes),
              [this](const std::string& message) { report_once(message); }),
      staging_bytes_(options_.budget_bytes - stream_bytes(options_.budget_bytes)) {
    publish();
    update_gauges();
}

bool Keeper::round(std::uint64_t now_s) {
    shared_.now_s.store(now_s, std::memory_order_relaxed);
    if (now_s >= follow_again_at_s_) follow(now_s);
    reclaim();
    if (has_unnamed_) let_go(now_s);
    const std::size_t open = feeder_.open();
    const std::size_t waiting = feeder_.waiting();
    if (feeder_.is_possible())
        feeder_.set_most(options_.budget_bytes - std::min(used_bytes_, staging_bytes_));
    const bool has_fed = feeder_.round();
    if (has_fed || feeder_.open() != open || feeder_.waiting() != waiting) update_gauges();
    return stage(now_s) || has_fed;
}

void Keeper::follow(std::uint64_t now_s) {
    if (environment_.last_transaction() == shared_.followed.load(std::memory_order_relaxed)) return;
    const auto named = read_named();
    if (!named) {
        report_once("images cannot be followed: " + named.error().message);
        follow_again_at_s_ = now_s + 1;
        return;
    }
    const std::uint64_t seen = mdb_txn_id(transaction_->raw());
    transaction_->reset();
    apply(*named, now_s);
    shared_.followed.store(seen, std::memory_order_release);
}

Result<Keeper::Named> Keeper::read_named() {
    if (!transaction_ || !transaction_->renew()) {
        transaction_.reset();
        auto begun = environment_.begin(store::Access::read_only);
        if (!begun) return tl::unexpected(begun.error());
        transaction_.emplace(std::move(*begun));
    }
    Named named;
    const auto scanned =
        store::scan(*transaction_, tables_.images, {}, [&](store::Bytes key, store::Bytes value) {
            store::Sha256 hash;
            const auto record = store::decode<store::ImageRecord>(value);
            if (key.size() == hash.size() && record) {
                std::memcpy(hash.data(), key.data(), hash.size());
                named.emplace(hash, record->size);
            }
            return true;
        });
    if (!scanned) return tl::unexpected(scanned.error());
    return named;
}

void Keeper::apply(const Named& named, std::uint64_t now_s) {
    bool is_changed = false;
    for (auto& [hash, kept] : kept_) {
        const auto still = named.find(hash);
        kept.is_named = still != named.end();
        kept.is_other = kept.is_named && still->second != kept.image->size();
        has_unnamed_ |= !kept.is_named || kept.is_other;
    }
    if (has_unnamed_) let_go(now_s);
    for (const auto& [hash, size] : named) {
        if (kept_.contains(hash)) continue;
        kept_.emplace(hash, Kept{std::make_unique<Image>(hash, size)});
        is_changed = true;
    }
    if (!is_changed) return;
    publish();
    update_gauges();
}

// What lost its last name goes, but not while a transfer that asked for it by that name still waits for it:
// it gets what it asked for, or gives up in its own time.
void Keeper::let_go(std::uint64_t now_s) {
    std::vector<std::unique_ptr<Image>> gone;
    has_unnamed_ = false;
    for (auto entry = kept_.begin(); entry != kept_.end();) {
        Kept& kept = entry->second;
        const Image& image = *kept.image;
        const bool is_awaited = image.is_wanted() && image.last_used_s() + kAwaitedSeconds >= now_s;
        if (kept.is_named ? !kept.is_other : is_awaited) {
            has_unnamed_ |= !kept.is_named;
            ++entry;
            continue;
        }
        abandon(kept);
        gone.push_back(std::move(kept.image));
        entry = kept_.erase(entry);
    }
    if (gone.empty()) return;
    publish();
    for (auto& image : gone) retire(std::move(image));
    update_gauges();
}

// Makes what is kept now what workers find; the catalogue before it goes when none looks at it any more.
void Keeper::publish() {
    std::vector<const Image*> images;
    images.reserve(kept_.size());
    for (const auto& [hash, kept] : kept_) images.push_back(kept.image.get());
    auto old = std::exchange(catalogue_, std::make_unique<const Catalogue>(images));
    shared_.catalogue.store(catalogue_.get(), std::memory_order_release);
    if (old != nullptr) retired_.push_back({nullptr, std::move(old), shared_.grace.begin()});
}

// The image is out of the catalogue already.
void Keeper::retire(std::unique_ptr<Image> image) {
    retired_bytes_ += image->footprint();
    retired_.push_back({std::move(image), nullptr, shared_.grace.begin()});
}

void Keeper::reclaim() {
    if (retired_.empty()) return;
    const std::lock_guard lock(shared_.seats);
    // Once the grace period is over nobody can find the image, so its references only go down.
    const auto freed = std::erase_if(retired_, [this](const Retired& retired) {
        if (!shared_.grace.is_over(retired.epoch)) return false;
        if (retired.image == nullptr) return true;
        if (retired.image->is_held()) return false;
        used_bytes_ -= retired.image->footprint();
        retired_bytes_ -= retired.image->footprint();
        return true;
    });
    if (freed > 0) update_gauges();
}

bool Keeper::stage(std::uint64_t now_s) {
    return std::ranges::any_of(candidates(now_s), [&](Kept* kept) { return stage_piece(*kept, now_s); });
}

// What may be staged now, in order: what is asked for first, then the smallest.
std::vector<Keeper::Kept*> Keeper::candidates(std::uint64_t now_s) {
    std::vector<Kept*> found;
    for (auto& [hash, kept] : kept_) {
        Image& image = *kept.image;
        if (image.residency() == Residency::unavailable && now_s >= kept.retry_at_s)
            image.set_unavailable(false);
        const bool can_never_fit = image.size() > staging_bytes_;
        const bool is_streamed = image.residency() == Residency::streamed;
        if ((image.residency() != Residency::pending && !is_streamed) || (is_streamed && can_never_fit))
            continue;
        const bool fits = kept.staging != nullptr || used_bytes_ + image.size() <= room_for_images();
        if (image.is_wanted() || fits || can_never_fit) found.push_back(&kept);
    }
    std::ranges::sort(found, {}, [](const Kept* kept) {
        return std::pair(!kept->image->is_wanted(), kept->image->size());
    });
    return found;
}

bool Keeper::stage_piece(Kept& kept, std::uint64_t now_s) {
    if (kept.staging == nullptr && !begin_staging(kept, now_s)) {
        if (kept.proof == nullptr) return false;
        prove_piece(kept, now_s);
        return true;
    }
    const auto done = kept.staging->step(kPieceBytes);
    if (!done) {
        give_up(kept, now_s, done.error());
    } else if (*done) {
        SealedMemory memory = kept.staging->take();
        if (!memory.is_locked() && memory.footprint() > 0) report_once(kCannotLock);
        kept.staging.reset();
        kept.is_proven = true;
        kept.image->become_resident(std::move(memory));
        update_gauges();
    }
    return true;
}

bool Keeper::begin_staging(Kept& kept, std::uint64_t now_s) {
    Image& image = *kept.image;
    const std::string path = image_path(options_.directory, image.hash());
    if (image.size() > staging_bytes_ && feeder_.is_possible()) {
        begin_streaming(kept, now_s);
        return false;
    }
    if (image.size() > staging_bytes_) {
        give_up(kept, now_s,
                Error{"the image " + path + " (" + std::to_string(image.size()) +
                      " bytes) is larger than all the memory for images, raise dataplane.staging_mib"});
        return false;
    }
    if (used_bytes_ + image.size() > room_for_images()) {
        make_room(image.size(), now_s);
        // What was displaced is free in a moment; without it, transfers do not wait for others to end.
        if (image.residency() == Residency::pending && retired_bytes_ == 0 && feeder_.is_possible())
            begin_streaming(kept, now_s);
        if (used_bytes_ + image.size() > room_for_images()) return false;
    }
    auto staging = Staging::begin(path, image.size(), image.hash());
    if (!staging) {
        give_up(kept, now_s, staging.error());
        return false;
    }
    kept.staging = std::move(*staging);
    kept.proof.reset();
    kept.began_s = now_s;
    used_bytes_ += kept.staging->footprint();
    return true;
}

// Transfers wait until the file is proven.
void Keeper::begin_streaming(Kept& kept, std::uint64_t now_s) {
    if (kept.is_proven) {
        kept.image->become_streamed();
        update_gauges();
        return;
    }
    if (kept.proof != nullptr) return;
    auto proof = Proof::begin(image_path(options_.directory, kept.image->hash()), kept.image->size(),
                              kept.image->hash());
    if (!proof) return give_up(kept, now_s, proof.error());
    kept.proof = std::move(*proof);
    kept.began_s = now_s;
}

void Keeper::prove_piece(Kept& kept, std::uint64_t now_s) {
    const auto done = kept.proof->step(kPieceBytes);
    if (!done) return give_up(kept, now_s, done.error());
    if (!*done) return;
    kept.proof.reset();
    kept.is_proven = true;
    begin_streaming(kept, now_s);
}

void Keeper::give_up(Kept& kept, std::uint64_t now_s, const Error& error) {
    // A large file takes long to find damaged: most of the time the disk is for others.
    const bool was_read = kept.staging != nullptr || kept.proof != nullptr;
    kept.retry_at_s = now_s + kRetrySeconds + (was_read ? kRestPerRead * (now_s - kept.began_s) : 0);
    abandon(kept);
    kept.proof.reset();
    kept.is_proven = false;
    kept.image->set_unavailable(true);
    report_once(error.message);
    update_gauges();
}

// Of the budget, without what streams took of it.
std::uint64_t Keeper::room_for_images() const noexcept {
    return std::min(staging_bytes_,
                    options_.budget_bytes - std::min(feeder_.bytes_taken(), options_.budget_bytes));
}

// Frees what was copied so far.
void Keeper::abandon(Kept& kept) {
    if (kept.staging == nullptr) return;
    used_bytes_ -= kept.staging->footprint();
    kept.staging.reset();
}

// For an image that is asked for. What is displaced is not free before the workers have passed a quiescent
// point, so a later round finds the room.
void Keeper::make_room(std::uint64_t size, std::uint64_t now_s) {
    const auto lacks = [&] { return used_bytes_ + size > room_for_images() + retired_bytes_; };
    for (auto& [hash, kept] : kept_)
        if (lacks() && !kept.image->is_wanted()) abandon(kept);

    std::vector<Kept*> idle;
    for (auto& [hash, kept] : kept_) {
        const Image& image = *kept.image;
        if (image.residency() == Residency::resident && image.footprint() > 0 && !image.is_held() &&
            image.last_used_s() + kIdleSeconds <= now_s)
            idle.push_back(&kept);
    }
    std::ranges::sort(idle, {}, [](const Kept* kept) { return kept->image->last_used_s(); });
    for (Kept* kept : idle)
        if (lacks()) displace(*kept);
}

void Keeper::displace(Kept& kept) {
    auto fresh = std::make_unique<Image>(kept.image->hash(), kept.image->size());
    auto old = std::exchange(kept.image, std::move(fresh));
    publish();
    retire(std::move(old));
    ++displaced_;
    update_gauges();
}

// The same trouble is retried every few seconds, and told once.
void Keeper::report_once(const std::string& message) {
    if (message == last_report_) return;
    last_report_ = message;
    if (options_.report) options_.report(message);
}

void Keeper::update_gauges() {
    if (options_.counters == nullptr) return;
    const auto count = [this](Residency residency) {
        return static_cast<std::uint64_t>(std::ranges::count_if(
            kept_, [residency](const auto& entry) { return entry.second.image->residency() == residency; }));
    };
    std::uint64_t known_bytes = 0;
    std::uint64_t huge_bytes = 0;
    for (const auto& [hash, kept] : kept_) {
        known_bytes += kept.image->size();
        if (kept.image->is_huge()) huge_bytes += kept.image->footprint();
    }
    CountersLayout& to = *options_.counters;
    to.set(Gauge::images_known, kept_.size());
    to.set(Gauge::images_resident, count(Residency::resident));
    to.set(Gauge::images_streamed, count(Residency::streamed));
    to.set(Gauge::image_streams_open, feeder_.open());
    to.set(Gauge::image_streams_waiting, feeder_.waiting());
    to.set(Gauge::image_bytes_streamed, feeder_.bytes_read());
    to.set(Gauge::images_unavailable, count(Residency::unavailable));
    to.set(Gauge::image_bytes_known, known_bytes);
    to.set(Gauge::image_bytes_resident, used_bytes_ + feeder_.bytes_taken());
    to.set(Gauge::image_bytes_huge, huge_bytes);
    to.set(Gauge::image_bytes_budget, options_.budget_bytes);
    to.set(Gauge::images_displaced, displaced_);
}

}  // namespace rouse::image
