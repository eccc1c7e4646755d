#pragma once
// Frames that came to one worker and belong to another's transfers. A TFTP transfer is its client's owner's:
// the worker that a hash of the client's address names. Where the device keeps the frames of an address pair
// on one queue (port::Device::keeps_flows_together) nothing of this is needed; elsewhere (veth, multi-queue
// taps) a client's packets come by any queue, and this brings them together, at the price of a copy.
//
// DHCP is not handed over: any worker answers it from the store.

#include "dataplane/port/bell.hpp"
#include "dataplane/port/frame_ring.hpp"
#include "shared/addresses.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace rouse::worker {

// Frames from one worker to one other. A request has at most 512 bytes (RFC 2347), here within UDP, IPv6 and
// Ethernet with a tag.
using HandoverRing = port::FrameRing<512, 632>;

// The rings between all workers of a device, 320 KiB for each two of them and each way. Made before they
// start; outlives them.
class HandoverMesh {
  public:
    [[nodiscard]] static Result<std::unique_ptr<HandoverMesh>> make(unsigned workers) {
        auto mesh = std::unique_ptr<HandoverMesh>(new HandoverMesh(workers));
        for (unsigned i = 0; i < workers; ++i) {
            auto bell = port::Bell::make();
            if (!bell) return tl::unexpected(bell.error());
            mesh->bells_.push_back(std::move(*bell));
        }
        return mesh;
    }
    [[nodiscard]] unsigned workers() const noexcept { return workers_; }
    [[nodiscard]] HandoverRing& ring(unsigned from, unsigned to) noexcept {
        return *rings_[from * workers_ + to];
    }
    [[nodiscard]] port::Bell& bell(unsigned of) noexcept { return bells_[of]; }

    // splitmix64's finaliser (Steele et al. 2014) over both halves, scaled to the workers.
    [[nodiscard]] unsigned owner_of(const IpAddress& client) const noexcept {
        std::array<std::uint64_t, 2> words;
        std::memcpy(words.data(), client.octets.data(), sizeof words);
        std::uint64_t z = words[0] * 0x9e3779b97f4a7c15ULL ^ words[1];
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return static_cast<unsigned>(((z >> 32) * workers_) >> 32);
    }

  private:
    explicit HandoverMesh(unsigned workers) : workers_(workers) {
        for (unsigned from = 0; from < workers; ++from)
            for (unsigned to = 0; to < workers; ++to)
                rings_.push_back(from == to ? nullptr : std::make_unique<HandoverRing>());
    }
    unsigned workers_;
    std::vector<std::unique_ptr<HandoverRing>> rings_;  // by from and to; none to oneself
    std::vector<port::Bell> bells_;
};

// One worker's side of the mesh. Without one, everything is its own.
class Handover {
  public:
    Handover() = default;
    Handover(HandoverMesh& mesh, unsigned self) noexcept : mesh_(&mesh), self_(self) {}

    [[nodiscard]] bool is_mine(const IpAddress& client) const noexcept {
        return mesh_ == nullptr || mesh_->owner_of(client) == self_;
    }
    // False: its owner has no room for it now, or never.
    [[nodiscard]] bool give(const IpAddress& client, std::span<const std::byte> frame) noexcept {
        return mesh_->ring(self_, mesh_->owner_of(client)).give(frame);
    }
    // Once per turn, when frames may have been given.
    void publish() noexcept {
        for_each_other([this](unsigned other) {
            if (mesh_->ring(self_, other).publish()) mesh_->bell(other).ring();
        });
    }

    // Frames that others gave, at most OUT's size and all of one giver, each in turn. Valid until release(),
    // which comes before the next take().
    [[nodiscard]] std::size_t take(std::span<port::Frame> out) noexcept {
        if (mesh_ == nullptr) return 0;
        for (unsigned tries = 0; tries < mesh_->workers(); ++tries) {
            giver_ = (giver_ + 1) % mesh_->workers();
            if (giver_ == self_) continue;
            if (const std::size_t n = mesh_->ring(giver_, self_).take(out); n > 0) return n;
        }
        return 0;
    }
    void release(std::size_t n) noexcept {
        if (n > 0) mesh_->ring(giver_, self_).release(n);
    }

    // To rest: between prepare() and done(), by wake_fd(), if nothing is there.
    [[nodiscard]] bool prepare_rest() noexcept {
        if (mesh_ == nullptr) return true;
        mesh_->bell(self_).prepare();
        bool is_empty = true;
        for_each_other([&](unsigned other) { is_empty = is_empty && mesh_->ring(other, self_).is_empty(); });
        if (!is_empty) mesh_->bell(self_).done();
        return is_empty;
    }
    void end_rest() noexcept {
        if (mesh_ != nullptr) mesh_->bell(self_).done();
    }
    [[nodiscard]] int wake_fd() const noexcept { return mesh_ == nullptr ? -1 : mesh_->bell(self_).fd(); }

  private:
    template <typename Visit>
    void for_each_other(Visit&& visit) noexcept {
        if (mesh_ == nullptr) return;
        for (unsigned other = 0; other < mesh_->workers(); ++other)
            if (other != self_) visit(other);
    }
    HandoverMesh* mesh_ = nullptr;
    unsigned self_ = 0;
    unsigned giver_ = 0;
};

}  // namespace rouse::worker
