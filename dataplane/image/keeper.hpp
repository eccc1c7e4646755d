#pragma once
// The image store's thread: what it owns, and what it does in each round. See image_store.hpp for the policy.

#include "dataplane/image/catalogue.hpp"
#include "dataplane/image/image_store.hpp"
#include "dataplane/image/staging.hpp"
#include "dataplane/image/stream_feeder.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace rouse::image {

// What the thread and the workers both touch.
struct ImageStore::Shared {
    std::atomic<const Catalogue*> catalogue{nullptr};
    std::atomic<std::uint64_t> followed{0};
    std::atomic<std::uint64_t> now_s{0};  // the thread's clock, for "least recently used"
    GracePeriod grace;
    StreamTable streams;
    std::mutex seats;  // workers taking seats against the thread looking at them
};

class Keeper {
  public:
    Keeper(ImageStore::Shared& shared, store::Environment& environment, const store::Tables& tables,
           ImageStore::Options options);

    // One round: follow the store, free what may be freed, stage a piece. True when there is more to do now.
    bool round(std::uint64_t now_s);

  private:
    struct Kept {
        std::unique_ptr<Image> image;
        std::unique_ptr<Staging> staging{};
        std::unique_ptr<Proof> proof{};
        bool is_proven = false;        // its file was, since it was named
        bool is_named = true;          // false: kept for transfers that wait for it
        bool is_other = false;         // the name's record has another size
        std::uint64_t began_s = 0;     // staging or proof
        std::uint64_t retry_at_s = 0;  // of an unavailable one
    };
    struct Retired {
        std::unique_ptr<Image> image;
        std::unique_ptr<const Catalogue> catalogue;
        std::uint64_t epoch = 0;
    };
    using Named = std::map<store::Sha256, std::uint64_t>;

    void follow(std::uint64_t now_s);
    [[nodiscard]] Result<Named> read_named();
    void apply(const Named& named, std::uint64_t now_s);
    void let_go(std::uint64_t now_s);
    void publish();
    void reclaim();
    bool stage(std::uint64_t now_s);
    [[nodiscard]] std::vector<Kept*> candidates(std::uint64_t now_s);
    // True when a piece was copied or proven.
    bool stage_piece(Kept& kept, std::uint64_t now_s);
    // False when there is no room for a copy.
    bool begin_staging(Kept& kept, std::uint64_t now_s);
    void begin_streaming(Kept& kept, std::uint64_t now_s);
    void prove_piece(Kept& kept, std::uint64_t now_s);
    void give_up(Kept& kept, std::uint64_t now_s, const Error& error);
    void abandon(Kept& kept);
    [[nodiscard]] std::uint64_t room_for_images() const noexcept;
    void make_room(std::uint64_t size, std::uint64_t now_s);
    void displace(Kept& kept);
    void retire(std::unique_ptr<Image> image);
    void report_once(const std::string& message);
    void update_gauges();

    ImageStore::Shared& shared_;
    store::Environment& environment_;
    store::Tables tables_;
    ImageStore::Options options_;
    std::optional<store::Transaction> transaction_;
    std::uint64_t follow_again_at_s_ = 0;
    std::string last_report_;
    StreamFeeder feeder_;
    std::uint64_t staging_bytes_;  // of the budget, what whole images may take at most

    std::map<store::Sha256, Kept> kept_;
    bool has_unnamed_ = false;  // among kept_
    std::vector<Retired> retired_;
    std::unique_ptr<const Catalogue> catalogue_;
    std::uint64_t used_bytes_ = 0;  // resident, being staged, or retired and not yet freed
    std::uint64_t retired_bytes_ = 0;
    std::uint64_t displaced_ = 0;
};

}  // namespace rouse::image
