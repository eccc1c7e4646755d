#pragma once
// TFTP for one worker: who a peer is, what a name stands for, where its bytes lie, and the frames that carry
// them.

#include "dataplane/image/image_store.hpp"
#include "dataplane/tftp/engine.hpp"
#include "dataplane/worker/directory.hpp"
#include "dataplane/worker/outbox.hpp"
#include "dataplane/worker/reporter.hpp"
#include "dataplane/worker/route.hpp"

#include <bit>

namespace rouse::worker {

// The tftp::Host of a worker on port P.
template <port::Port P>
class TftpHost {
  public:
    using Route = worker::Route;

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
    // that borrowing another machine's address gets a stranger nothing. A lease outlives its machine's
    // registration, so that alone is not enough. Where another server gives the addresses, and of link-local
    // ones, we know machines by their hardware address alone.
    [[nodiscard]] std::optional<MacAddress> identify(const tftp::Peer& peer) const noexcept {
        const auto address = peer.address.v4();
        const Ipv6Address address6{peer.address.octets};
        const bool is_local = address ? parts_.self.subnet.contains(*address) : is_on_link(address6);
        const auto lease = address ? parts_.directory->lease(*address) : parts_.directory->lease(address6);
        if (lease && (!is_local || lease->mac == peer.mac) && parts_.directory->host(lease->mac))
            return lease->mac;
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
            const bool is_framed = record->kind == store::ContentKind::framed;
            const auto text = is_framed ? Reference::frame(record->rendered_id, host.line_id)
                                        : Reference::text(record->rendered_id);
            content.handle = std::bit_cast<Handle>(text);
            return {tftp::Availability::ready, content, host.quirks};
        }
        content.handle = std::bit_cast<Handle>(image::ImageId::of(record->hash));
        const tftp::Availability availability = look(content, false);
        if (availability == tftp::Availability::ready) parts_.counters->add(Counter::tftp_images_resident);
        return {availability, content, host.quirks};
    }

    // A pending content's handle is its image's id.
    [[nodiscard]] tftp::Availability poll(tftp::Content& content) noexcept {
        const tftp::Availability availability = look(content, true);
        if (availability == tftp::Availability::ready)
            parts_.counters->add(reference(content).stream() == nullptr ? Counter::tftp_images_staged
                                                                        : Counter::tftp_images_streamed);
        return availability;
    }

    [[nodiscard]] Route route_to(const tftp::Peer& peer) const noexcept {
        if (const auto address = peer.address.v4())
            return Route(wire::UdpTemplate({.source_mac = parts_.self.mac,
                                            .destination_mac = peer.mac,
                                            .source = parts_.self.address,
                                            .destination = *address,
                                            .source_port = peer.server_port,
                                            .destination_port = peer.port}));
        return Route(wire::Udp6Template({.ends = {.source_mac = parts_.self.mac,
                                                  .destination_mac = peer.mac,
                                                  .source = Ipv6Address{peer.server.octets},
                                                  .destination = Ipv6Address{peer.address.octets}},
                                         .source_port = peer.server_port,
                                         .destination_port = peer.port}));
    }
    void retain(const tftp::Content& content) const noexcept {
        if (const auto* image = reference(content).image()) image->retain();
    }
    void release(const tftp::Content& content) const noexcept {
        const Reference from = reference(content);
        if (from.stream() != nullptr) from.stream()->release();
        if (from.image() != nullptr) from.image()->release();
    }
    [[gnu::always_inline]] [[nodiscard]] ReadResult read(const tftp::Content& content, std::uint64_t offset,
                                                         std::span<std::byte> out) const noexcept {
        const Reference from = reference(content);
        if (from.stream() != nullptr) return from.stream()->read(offset, out);
        if (from.image() == nullptr)
            return read_text(from, offset, out) ? ReadResult::done : ReadResult::gone;
        const auto bytes = from.image()->bytes();
        if (offset > bytes.size() || bytes.size() - offset < out.size()) return ReadResult::gone;
        std::memcpy(out.data(), bytes.data() + offset, out.size());
        return ReadResult::done;
    }
    void prefetch(const tftp::Content& content, std::uint64_t offset, std::size_t length) const noexcept {
        const Reference from = reference(content);
        if (from.image() != nullptr && from.stream() == nullptr)
            tftp::prefetch_lines(from.image()->bytes().data() + offset, length);
    }

    [[gnu::always_inline]] [[nodiscard]] std::span<std::byte> reply(const Route& route) noexcept {
        room_ = parts_.outbox->room();
        if (room_.size() < wire::kUdp6FrameOverhead) return {};
        route_ = &route;
        return room_.subspan(route.overhead());
    }
    [[gnu::always_inline]] void commit(std::size_t payload_length) noexcept {
        if (payload_length == 0) return;
        const bool by_device = parts_.outbox->device_sums() && route_->has_checksum();
        const auto by = by_device ? wire::UdpChecksum::device : wire::UdpChecksum::software;
        parts_.outbox->commit(route_->write(room_, payload_length, by), by_device);
    }

    void emit(const Event& event) noexcept { parts_.reporter->report(event); }
    [[nodiscard]] WorkerCounters& counters() noexcept { return *parts_.counters; }
    void quiescent() noexcept { parts_.images.quiescent(); }

  private:
    using Handle = decltype(tftp::Content::handle);
    // Where a ready content's bytes are: in an image, in a stream of one, or in table `rendered`: a text, or
    // a line in a frame.
    struct Reference {
        std::uint64_t place = 0;   // an image's address; a frame's id, doubled and odd; 0: a text
        std::uint64_t detail = 0;  // an image's stream, or 0; the id of the line or the text

        static Reference of(const image::Image& image, image::Stream* stream = nullptr) noexcept {
            return {std::bit_cast<std::uint64_t>(&image), std::bit_cast<std::uint64_t>(stream)};
        }
        static Reference text(std::uint64_t id) noexcept { return {0, id}; }
        static Reference frame(std::uint64_t id, std::uint64_t line) noexcept { return {id << 1 | 1, line}; }

        [[nodiscard]] bool is_frame() const noexcept { return (place & 1) != 0; }
        [[nodiscard]] std::uint64_t frame_id() const noexcept { return place >> 1; }
        [[nodiscard]] const image::Image* image() const noexcept {
            return is_frame() ? nullptr : std::bit_cast<const image::Image*>(place);
        }
        [[nodiscard]] image::Stream* stream() const noexcept {
            return image() == nullptr ? nullptr : std::bit_cast<image::Stream*>(detail);
        }
    };
    static_assert(alignof(image::Image) > 1);
    static_assert(sizeof(Reference) == sizeof(Handle));
    static Reference reference(const tftp::Content& content) noexcept {
        return std::bit_cast<Reference>(content.handle);
    }

    [[nodiscard]] bool read_text(const Reference& from, std::uint64_t offset,
                                 std::span<std::byte> out) const noexcept {
        return from.is_frame() ? parts_.directory->read_framed(from.frame_id(), from.detail, offset, out)
                               : parts_.directory->read_rendered(from.detail, offset, out);
    }

    [[nodiscard]] bool is_on_link(const Ipv6Address& address) const noexcept {
        const auto* network = parts_.directory->network_at(parts_.self.address);
        return address.is_link_local() ||
               (network != nullptr && network->has_ipv6() && network->prefix6.contains(address));
    }

    // `takes_stream`: of a streamed image, take a stream if there is one; the transfer holds it from then on.
    [[nodiscard]] tftp::Availability look(tftp::Content& content, bool takes_stream) noexcept {
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
            case image::Residency::streamed:
                return takes_stream ? open_stream(*image, content) : tftp::Availability::pending;
            case image::Residency::resident:
                break;
        }
        content.handle = std::bit_cast<Handle>(Reference::of(*image));
        return tftp::Availability::ready;
    }
    [[nodiscard]] tftp::Availability open_stream(const image::Image& image, tftp::Content& content) noexcept {
        image::Stream* const stream = parts_.images.open_stream(image);
        if (stream == nullptr) return tftp::Availability::pending;
        content.handle = std::bit_cast<Handle>(Reference::of(image, stream));
        return tftp::Availability::ready;
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

    // A datagram to this port of ours is TFTP's.
    [[nodiscard]] bool serves(std::uint16_t port) const noexcept { return engine_.serves(port); }
    [[nodiscard]] DropReason receive(std::uint64_t now_ns, const wire::Datagram& datagram) noexcept {
        return engine_.receive(now_ns, peer_of(datagram), datagram.payload, host_);
    }
    // Before a burst's datagrams are received one by one: what they will touch comes from memory meanwhile.
    void prefetch(std::span<const wire::Datagram> burst) const noexcept {
        if (!engine_.wants_prefetch()) return;
        std::array<tftp::Peer, port::kBurst> peers;
        const std::size_t count = std::min(burst.size(), peers.size());
        std::transform(burst.begin(), burst.begin() + static_cast<std::ptrdiff_t>(count), peers.begin(),
                       peer_of<wire::Datagram>);
        engine_.prefetch(std::span<const tftp::Peer>(peers).first(count));
    }
    // A client that was heard as a group gets nothing: TFTP is asked for at an address.
    [[nodiscard]] DropReason receive(std::uint64_t now_ns, const wire::Datagram6& datagram) noexcept {
        if (datagram.destination.is_multicast()) return DropReason::ipv6_not_for_us;
        return engine_.receive(now_ns, peer_of(datagram), datagram.payload, host_);
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
    // Of either family.
    template <typename Datagram>
    [[nodiscard]] static tftp::Peer peer_of(const Datagram& datagram) noexcept {
        return {.address = datagram.source,
                .server = datagram.destination,
                .port = datagram.source_port,
                .mac = datagram.source_mac,
                .server_port = datagram.destination_port};
    }

    TftpHost<P> host_;
    tftp::Engine<TftpHost<P>> engine_;
};

}  // namespace rouse::worker
