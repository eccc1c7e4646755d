#pragma once
// TFTP for one worker: who a peer is, what a name stands for, where its bytes lie, and the frames that carry
// them.

#include "dataplane/image/image_store.hpp"
#include "dataplane/tftp/engine.hpp"
#include "dataplane/wire/udp.hpp"
#include "dataplane/wire/udp6.hpp"
#include "dataplane/worker/directory.hpp"
#include "dataplane/worker/outbox.hpp"
#include "dataplane/worker/reporter.hpp"

#include <bit>
#include <variant>

namespace rouse::worker {

// The tftp::Host of a worker on port P.
template <port::Port P>
class TftpHost {
  public:
    using Route = std::variant<wire::UdpTemplate, wire::Udp6Template>;

    struct Parts {
        wire::Self self;
        wire::Self6 self6;
        Directory* directory;
        image::ImageStore::Reader images;
        WorkerCounters* counters;
        Reporter* reporter;
        Outbox<P>* outbox;
    };
    explicit TftpHost(Parts parts) noexcept : parts_(std::move(parts)) {}

    // A machine is who holds the lease of its address; on our own subnet also by its hardware address, so
    // that borrowing another machine's address gets a stranger nothing. Where another server gives the
    // addresses, and of link-local ones, we know machines by their hardware address alone.
    [[nodiscard]] std::optional<MacAddress> identify(const tftp::Peer& peer) const noexcept {
        const auto address = peer.address.v4();
        const Ipv6Address address6{peer.address.octets};
        const bool is_local = address ? parts_.self.subnet.contains(*address) : is_on_link(address6);
        const auto lease = address ? parts_.directory->lease(*address) : parts_.directory->lease(address6);
        if (lease && (!is_local || lease->mac == peer.mac)) return lease->mac;
        const auto host = is_local ? parts_.directory->host(peer.mac) : std::nullopt;
        if (!host) return std::nullopt;
        const auto* network = parts_.directory->network(host->network);
        const bool gave_no_address = address6.is_link_local() || (network != nullptr && network->is_proxy());
        return gave_no_address ? std::optional(peer.mac) : std::nullopt;
    }

    [[nodiscard]] tftp::Resolution resolve(const MacAddress& machine, std::string_view name) noexcept {
        const auto host = parts_.directory->host(machine).value_or(store::HostRecord{});
        const auto record = parts_.directory->find_name(machine, host, name);
        if (!record) return {};
        tftp::Content content{.size = record->size};
        if (record->kind != store::ContentKind::image) {
            const Reference text = record->kind == store::ContentKind::framed
                                       ? Reference{.place = record->rendered_id, .rendered_id = host.line_id}
                                       : Reference{.rendered_id = record->rendered_id};
            content.handle = std::bit_cast<Handle>(text);
            return {tftp::Availability::ready, content};
        }
        content.handle = std::bit_cast<Handle>(image::ImageId::of(record->hash));
        return {poll(content), content};
    }

    // A pending content's handle is its image's id.
    [[nodiscard]] tftp::Availability poll(tftp::Content& content) noexcept {
        const image::Image* image = parts_.images.find(std::bit_cast<image::ImageId>(content.handle));
        if (image == nullptr) {
            // A name can be newer than what the image store has followed.
            return parts_.images.followed() < parts_.directory->snapshot() ? tftp::Availability::pending
                                                                           : tftp::Availability::unavailable;
        }
        if (image->size() != content.size) return tftp::Availability::unavailable;
        switch (image->residency()) {
            case image::Residency::pending:
                return tftp::Availability::pending;
            case image::Residency::unavailable:
                return tftp::Availability::unavailable;
            case image::Residency::resident:
                break;
        }
        content.handle = std::bit_cast<Handle>(Reference{.place = std::bit_cast<std::uint64_t>(image)});
        return tftp::Availability::ready;
    }

    void retain(const tftp::Content& content) const noexcept {
        if (const auto* image = reference(content).image()) image->retain();
    }
    void release(const tftp::Content& content) const noexcept {
        if (const auto* image = reference(content).image()) image->release();
    }
    [[nodiscard]] bool read(const tftp::Content& content, std::uint64_t offset,
                            std::span<std::byte> out) const noexcept {
        const Reference from = reference(content);
        if (from.image() == nullptr) {
            if (from.place == 0) return parts_.directory->read_rendered(from.rendered_id, offset, out);
            return parts_.directory->read_framed(from.place, from.rendered_id, offset, out);
        }
        const auto bytes = from.image()->bytes();
        if (offset > bytes.size() || bytes.size() - offset < out.size()) return false;
        std::memcpy(out.data(), bytes.data() + offset, out.size());
        return true;
    }

    [[nodiscard]] std::span<std::byte> reply(const Route& route) noexcept {
        room_ = parts_.outbox->room();
        if (room_.size() < wire::kUdp6FrameOverhead) return {};
        route_ = &route;
        const bool is_ipv4 = std::holds_alternative<wire::UdpTemplate>(route);
        return room_.subspan(is_ipv4 ? wire::kUdpFrameOverhead : wire::kUdp6FrameOverhead);
    }
    void commit(std::size_t payload_length) noexcept {
        if (payload_length == 0) return;
        if (const auto* ipv4 = std::get_if<wire::UdpTemplate>(route_))
            parts_.outbox->commit(ipv4->write(room_, payload_length));
        else
            parts_.outbox->commit(std::get_if<wire::Udp6Template>(route_)->write(room_, payload_length));
    }

    void emit(const Event& event) noexcept { parts_.reporter->report(event); }
    [[nodiscard]] WorkerCounters& counters() noexcept { return *parts_.counters; }
    void quiescent() noexcept { parts_.images.quiescent(); }
    [[nodiscard]] const wire::Self& self() const noexcept { return parts_.self; }

  private:
    using Handle = decltype(tftp::Content::handle);
    // Where a ready content's bytes are: in an image, or in table `rendered`: a text, or a line in a frame.
    struct Reference {
        std::uint64_t place = 0;        // an image's address; with a rendered id: the frame's id, 0: none
        std::uint64_t rendered_id = 0;  // of the text or the line; 0: an image

        [[nodiscard]] const image::Image* image() const noexcept {
            return rendered_id == 0 ? std::bit_cast<const image::Image*>(place) : nullptr;
        }
    };
    static_assert(sizeof(Reference) == sizeof(Handle));
    static Reference reference(const tftp::Content& content) noexcept {
        return std::bit_cast<Reference>(content.handle);
    }

    [[nodiscard]] bool is_on_link(const Ipv6Address& address) const noexcept {
        const auto* network = parts_.directory->network_at(parts_.self.address);
        return address.is_link_local() ||
               (network != nullptr && network->has_ipv6() && network->prefix6.contains(address));
    }

    Parts parts_;
    std::span<std::byte> room_;     // of the reply under way
    const Route* route_ = nullptr;  // likewise
};

template <port::Port P>
class TftpService {
  public:
    TftpService(typename TftpHost<P>::Parts parts, const tftp::EngineOptions& options)
        : host_(std::move(parts)), engine_(options) {}

    [[nodiscard]] DropReason receive(std::uint64_t now_ns, const wire::Datagram& datagram) noexcept {
        const tftp::Peer peer{.address = datagram.source,
                              .server = datagram.destination,
                              .port = datagram.source_port,
                              .mac = datagram.source_mac};
        const wire::UdpTemplate route({.source_mac = host_.self().mac,
                                       .destination_mac = datagram.source_mac,
                                       .source = host_.self().address,
                                       .destination = datagram.source,
                                       .source_port = wire::tftp::kPort,
                                       .destination_port = datagram.source_port});
        return engine_.receive(now_ns, peer, route, datagram.payload, host_);
    }
    // A client that was heard as a group gets nothing: TFTP is asked for at an address.
    [[nodiscard]] DropReason receive(std::uint64_t now_ns, const wire::Datagram6& datagram) noexcept {
        if (datagram.destination.is_multicast()) return DropReason::ipv6_not_for_us;
        const tftp::Peer peer{.address = datagram.source,
                              .server = datagram.destination,
                              .port = datagram.source_port,
                              .mac = datagram.source_mac};
        const wire::Udp6Template route({.ends = {.source_mac = host_.self().mac,
                                                 .destination_mac = datagram.source_mac,
                                                 .source = datagram.destination,
                                                 .destination = datagram.source},
                                        .source_port = wire::tftp::kPort,
                                        .destination_port = datagram.source_port});
        return engine_.receive(now_ns, peer, route, datagram.payload, host_);
    }
    // Sends what is due; returns how many frames.
    std::size_t run(std::uint64_t now_ns) noexcept {
        // A turn's worth: as many as keep the next received burst waiting no longer than it took to fill.
        constexpr std::size_t kFramesPerTurn = 4 * port::kBurst;
        return engine_.run(now_ns, host_, kFramesPerTurn);
    }
    // Once per turn: nothing found in the images earlier is still in use, unless it was retained.
    void quiescent() noexcept { host_.quiescent(); }

    void set_limits(const tftp::Limits& limits) noexcept { engine_.set_limits(limits); }
    [[nodiscard]] std::size_t sessions() const noexcept { return engine_.open_sessions(); }

  private:
    TftpHost<P> host_;
    tftp::Engine<TftpHost<P>> engine_;
};

}  // namespace rouse::worker
