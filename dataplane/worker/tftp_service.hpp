#pragma once
// TFTP for one worker: who a peer is, what a name stands for, where its bytes lie, and the frames that carry
// them.

#include "dataplane/image/image_store.hpp"
#include "dataplane/tftp/engine.hpp"
#include "dataplane/wire/udp.hpp"
#include "dataplane/worker/directory.hpp"
#include "dataplane/worker/outbox.hpp"
#include "dataplane/worker/reporter.hpp"

#include <bit>

namespace rouse::worker {

// The tftp::Host of a worker on port P.
template <port::Port P>
class TftpHost {
  public:
    using Route = wire::UdpTemplate;

    struct Parts {
        wire::Self self;
        Directory* directory;
        image::ImageStore* images;
        WorkerCounters* counters;
        Reporter* reporter;
        Outbox<P>* outbox;
    };
    explicit TftpHost(const Parts& parts) noexcept : parts_(parts) {}

    // A machine is who holds the lease of its address; on our own subnet also by its hardware address, so
    // that borrowing another machine's address gets a stranger nothing.
    [[nodiscard]] std::optional<MacAddress> identify(const tftp::Peer& peer) const noexcept {
        const auto address = peer.address.v4();
        if (!address) return std::nullopt;
        const auto lease = parts_.directory->lease(*address);
        if (!lease) return std::nullopt;
        if (parts_.self.subnet.contains(*address) && lease->mac != peer.mac) return std::nullopt;
        return lease->mac;
    }

    [[nodiscard]] tftp::Resolution resolve(const MacAddress& machine, std::string_view name) noexcept {
        const auto record = find_name(machine, name);
        if (!record) return {};
        tftp::Content content{.size = record->size};
        if (record->kind == store::ContentKind::rendered) {
            content.handle =
                std::bit_cast<Handle>(Reference{.kind = record->kind, .rendered_id = record->rendered_id});
            return {tftp::Availability::ready, content};
        }
        return resolve_image(record->hash, content);
    }

  private:
    using Handle = decltype(tftp::Content::handle);
    struct Reference {
        store::ContentKind kind;
        std::uint8_t padding[3]{};
        std::uint32_t image = 0;
        std::uint64_t rendered_id = 0;
    };
    static_assert(sizeof(Reference) == sizeof(Handle));

    Parts parts_;
};

}  // namespace rouse::worker
