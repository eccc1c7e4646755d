#pragma once
// A rack of simulated machines on one port. Each powers on, leases its address by DHCP, finds the server's
// hardware address by ARP, and fetches its files by TFTP, all as its kind does; it resends as patiently as
// that, and may power on again later. One thread; time is given.
//
// rack.hpp runs the turns and passes frames on; rack_lease.hpp speaks DHCP, rack_fetch.hpp ARP and TFTP.

#include "dataplane/worker/outbox.hpp"
#include "perf/load/answer.hpp"
#include "perf/load/boot_files.hpp"
#include "perf/load/machine.hpp"
#include "perf/load/question.hpp"
#include "perf/load/roster.hpp"
#include "perf/load/scenario.hpp"
#include "perf/load/tally.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace rouse::load {

struct RackOptions {
    std::uint32_t machines = 1000;
    MacAddress first_mac{{0x52, 0x54, 0, 0, 0, 0}};  // the others' follow
    std::vector<const MachineKind*> kinds;           // in turn; at least one
    std::vector<BootFile> files{};                   // none: a machine that has its lease is up
    wire::tftp::Options ask{};                       // block and window size, instead of the kinds' own
    Ipv4Address address_base{};  // the first machine's, the others' follow: no DHCP; zero: they lease theirs
    Ipv4Address server{};        // of TFTP; zero: what DHCP says
    bool verifies = true;        // false: any bytes are good
    std::uint32_t resend_after_ms = 0;  // instead of the kind's own wait; 0: the kind's
    std::uint64_t seed = 1;
    bool is_realistic = false;  // waits where the real ones do, though nothing is to be waited for
    double drop_received = 0;   // of the frames that come in, this share gets lost
    double drop_sent = 0;       // likewise, of those that go out
    double vanish = 0;          // this share of machines falls silent during its first file
    double abort = 0;           // this share breaks off its first file with an ERROR
    Scenario scenario{};
};

template <port::Port P>
class Rack {
  public:
    Rack(P& port, const RackOptions& options, std::uint64_t now_ns);

    // One burst in, at most one burst out: no more than the port takes at once, so that nothing queues here.
    void turn(std::uint64_t now_ns);
    // Nobody powers on any more and nobody is under way.
    [[nodiscard]] bool is_done(std::uint64_t now_ns) const noexcept {
        return is_over(now_ns) && tally_.under_way() == 0;
    }
    // Nobody powers on any more.
    [[nodiscard]] bool is_over(std::uint64_t now_ns) const noexcept {
        return pacer_.is_over(now_ns, tally_.begun);
    }
    [[nodiscard]] Tally tally() const;
    // The end: the server is told of every transfer under way that nobody waits for it any more.
    void break_off_all() noexcept;

  private:
    // Of a kind: the programs that it runs, one after the other.
    struct Program {
        MachineKind kind;
        Question discover;
        Question request;
    };
    [[nodiscard]] const Program& program_of(std::uint32_t index) const noexcept {
        return programs_[index % programs_.size()][machines_[index].program];
    }
    [[nodiscard]] const MachineKind& kind_of(std::uint32_t index) const noexcept {
        return program_of(index).kind;
    }
    [[nodiscard]] static std::vector<Program> programs_of(const MachineKind& kind,
                                                          const RackOptions& options);
    bool happens(double share) noexcept { return share > 0 && chance_(random_) < share; }

    // ── power ────────────────────────────────────────────────────────────────────────────────────────────
    void begin_some(std::uint64_t now_ns);
    bool begin(std::uint32_t index, std::uint64_t now_ns);
    void choose_fate(Machine& machine) noexcept;
    void advance() noexcept { next_ = next_ + 1 == order_.size() ? 0 : next_ + 1; }
    void come_up(std::uint32_t index, std::uint64_t now_ns);
    void give_up(std::uint32_t index) noexcept { power_off(index, tally_.failed); }
    void power_off(std::uint32_t index, std::uint64_t& outcome) noexcept;

    // ── frames ───────────────────────────────────────────────────────────────────────────────────────────
    void take(wire::ConstBytes frame, std::uint64_t now_ns);
    void take_datagram(const wire::Datagram& datagram, std::uint64_t now_ns);
    // Room for one frame of this turn; empty when there is none.
    [[nodiscard]] std::span<std::byte> room() noexcept {
        return room_ > 0 ? outbox_.room() : std::span<std::byte>{};
    }
    void commit(std::size_t length) noexcept;
    // The message in this state went out once more: waits for its answer as long as PATIENCE says.
    void sent(std::uint32_t index, const Patience& patience, std::uint64_t now_ns) noexcept;
    void wait(std::uint32_t index, std::uint64_t ms, std::uint64_t now_ns) noexcept;
    // No answer came in time.
    void resend(std::uint32_t index, std::uint64_t now_ns);
    [[nodiscard]] const Patience& patience_of(std::uint32_t index) const noexcept;
    // The message that the state asks for. False: there is no room for another frame in this turn.
    bool speak(std::uint32_t index, std::uint64_t now_ns);
    void enter(std::uint32_t index, State state, std::uint64_t now_ns);

    // ── rack_lease.hpp ───────────────────────────────────────────────────────────────────────────────────
    void lease(std::uint32_t index, std::uint64_t now_ns);
    bool ask(std::uint32_t index, std::uint64_t now_ns);
    void take_answer(const wire::Datagram& datagram, std::uint64_t now_ns);
    void handle(std::uint32_t index, const Answer& answer, std::uint64_t now_ns);
    void settle(std::uint32_t index, const Answer& answer);

    // ── rack_fetch.hpp ───────────────────────────────────────────────────────────────────────────────────
    void take_arp(wire::ConstBytes frame, std::uint64_t now_ns);
    bool look_up(std::uint32_t index, std::uint64_t now_ns);
    void fetch_next(std::uint32_t index, std::uint64_t now_ns);
    [[nodiscard]] std::string name_of(std::uint32_t index) const;
    bool fetch(std::uint32_t index, std::uint64_t now_ns);
    std::size_t write_datagram(std::uint32_t index, std::span<std::byte> room, std::size_t length) noexcept;
    void take_tftp(std::uint32_t index, const wire::Datagram& datagram, std::uint64_t now_ns);
    void count_block(std::uint32_t index, const wire::Datagram& datagram, std::uint64_t now_ns) noexcept;
    void end_file(std::uint32_t index, std::uint64_t now_ns);
    void start_next_program(std::uint32_t index, std::uint64_t now_ns);
    void end_miss(std::uint32_t index, std::uint64_t now_ns);
    void leave(std::uint32_t index) noexcept;
    void break_off(std::uint32_t index) noexcept;

    // Frames of a turn that neither answers nor beginners take: however much comes in, who waited too long
    // has its chance.
    static constexpr std::size_t kKeptForResends = 4;
    static constexpr Patience kArpPatience{.first_ms = 250, .longest_ms = 4000, .tries = 8};

    P* port_;
    RackOptions options_;
    std::vector<std::vector<Program>> programs_;  // by kind
    WorkerCounters counters_;
    worker::Outbox<P> outbox_;
    Pacer pacer_;
    Roster roster_;
    std::vector<Machine> machines_;
    std::vector<std::uint32_t> order_;
    tftp::TimerWheel wheel_;
    std::mt19937_64 random_;
    std::uniform_real_distribution<double> chance_{0, 1};
    Tally tally_;
    std::size_t next_ = 0;        // in order_
    std::size_t room_ = 0;        // frames that this turn may still send
    std::size_t unanswered_ = 0;  // frames of this turn's burst that have not been looked at
};

template <port::Port P>
Rack<P>::Rack(P& port, const RackOptions& options, std::uint64_t now_ns)
    : port_(&port),
      options_(options),
      outbox_(port, counters_),
      pacer_(options.scenario, options.machines, now_ns, options.seed),
      roster_(options.first_mac, options.machines),
      machines_(options.machines),
      order_(options.machines),
      wheel_(options.machines),
      random_(options.seed) {
    for (const auto* kind : options.kinds) programs_.push_back(programs_of(*kind, options));
    for (std::uint32_t i = 0; i < options.machines; ++i) order_[i] = i;
    std::shuffle(order_.begin(), order_.end(), random_);
}

template <port::Port P>
std::vector<typename Rack<P>::Program> Rack<P>::programs_of(const MachineKind& kind,
                                                            const RackOptions& options) {
    std::vector<Program> programs;
    for (const MachineKind* each = &kind; each != nullptr; each = each->next) {
        MachineKind own = *each;
        if (options.ask.block_size) own.tftp.ask.block_size = options.ask.block_size;
        if (options.ask.window_size) own.tftp.ask.window_size = options.ask.window_size;
        if (!options.is_realistic) own.dhcp.collects_ms = 0;
        programs.push_back(
            {own, Question(own, wire::DhcpType::discover), Question(own, wire::DhcpType::request)});
    }
    return programs;
}

template <port::Port P>
void Rack<P>::turn(std::uint64_t now_ns) {
    constexpr std::size_t kTimers = 256;  // looked at per turn; most have been put off meanwhile
    room_ = port::kBurst;
    std::array<port::Frame, port::kBurst - kKeptForResends> burst;
    const std::size_t received = port_->receive(burst);
    for (unanswered_ = received; unanswered_ > 0;) take(burst[received - unanswered_--].bytes(), now_ns);
    port_->release(std::span(burst).first(received));
    wheel_.turn(
        tftp::tick_of(now_ns), kTimers, [&](std::uint32_t index) -> auto& { return machines_[index].timer; },
        [&](std::uint32_t index) { resend(index, now_ns); });
    begin_some(now_ns);
    outbox_.flush();
}

template <port::Port P>
Tally Rack<P>::tally() const {
    Tally result = tally_;
    result.not_sent = counters_.get(DropReason::transmit_ring_full);
    result.lost_by_device = port_->statistics().receive_dropped;
    return result;
}

// ── power ────────────────────────────────────────────────────────────────────────────────────────────────

template <port::Port P>
void Rack<P>::begin_some(std::uint64_t now_ns) {
    std::uint64_t due = pacer_.due(now_ns, tally_.begun, tally_.under_way());
    for (; due > 0 && room_ > kKeptForResends; --due) {
        if (tally_.under_way() >= machines_.size()) {
            ++tally_.none_free;
            return;
        }
        // Most are off, so the next or one soon after it is.
        while (machines_[order_[next_]].state != State::off) advance();
        if (!begin(order_[next_], now_ns)) return;
        advance();
    }
}

template <port::Port P>
bool Rack<P>::begin(std::uint32_t index, std::uint64_t now_ns) {
    if (room().empty()) return false;
    Machine& machine = machines_[index];
    machine = {.began_ns = now_ns, .timer = machine.timer, .port = machine.port};
    choose_fate(machine);
    tally_.latest_ns = std::max(tally_.latest_ns, pacer_.lateness_ns(now_ns, tally_.begun));
    if (tally_.begun++ == 0) tally_.first_ns = now_ns;
    if (options_.address_base.is_zero()) {
        lease(index, now_ns);
        return true;
    }
    machine.address = Ipv4Address::from_host(options_.address_base.host() + index);
    machine.files = machine.next_hop = options_.server;
    roster_.settle(index, machine.address);
    enter(index, State::resolving, now_ns);
    return true;
}

template <port::Port P>
void Rack<P>::choose_fate(Machine& machine) noexcept {
    constexpr std::uint32_t kSoon = 64;  // blocks
    if (happens(options_.vanish + options_.abort))
        machine.leaves_after = 1 + static_cast<std::uint32_t>(random_() % kSoon);
}

template <port::Port P>
void Rack<P>::come_up(std::uint32_t index, std::uint64_t now_ns) {
    tally_.boot.count(now_ns - machines_[index].began_ns);
    tally_.last_ns = now_ns;
    power_off(index, tally_.completed);
}

template <port::Port P>
void Rack<P>::power_off(std::uint32_t index, std::uint64_t& outcome) noexcept {
    Machine& machine = machines_[index];
    machine.state = State::off;
    wheel_.disarm(index, machine.timer);
    ++outcome;
}

// ── frames ───────────────────────────────────────────────────────────────────────────────────────────────

template <port::Port P>
void Rack<P>::take(wire::ConstBytes frame, std::uint64_t now_ns) {
    if (happens(options_.drop_received)) {
        ++tally_.dropped;
        return;
    }
    const auto ethernet = wire::load<wire::EthernetHeader>(frame);
    if (ethernet && ethernet->type == be16(wire::kEtherTypeArp)) return take_arp(frame, now_ns);
    if (ethernet && ethernet->type != be16(wire::kEtherTypeIpv4)) return;  // others' talk
    const auto ip = wire::load<wire::Ipv4Header>(frame, sizeof(wire::EthernetHeader));
    wire::Datagram datagram;
    // The rack's machines have many addresses: whatever came in is for one of them, or for nobody.
    const auto is_whole = [&] {
        const wire::Self self{
            .mac = ethernet->destination, .address = ip->destination, .subnet = {.length = 32}};
        return wire::parse_datagram(frame, self, datagram) == DropReason::none;
    };
    if (!ethernet || !ip || !is_whole()) {
        ++tally_.unreadable;
        return;
    }
    take_datagram(datagram, now_ns);
}

template <port::Port P>
void Rack<P>::take_datagram(const wire::Datagram& datagram, std::uint64_t now_ns) {
    if (datagram.destination_port == wire::kDhcpClientPort) return take_answer(datagram, now_ns);
    const auto index = roster_.find(datagram.destination_mac);
    if (!index) return;  // others' talk
    const Machine& machine = machines_[*index];
    if (machine.state == State::fetching && machine.tftp.port() == datagram.destination_port &&
        machine.files == datagram.source)
        return take_tftp(*index, datagram, now_ns);
    ++tally_.stray;
}

template <port::Port P>
void Rack<P>::commit(std::size_t length) noexcept {
    if (happens(options_.drop_sent)) {
        ++tally_.dropped;
        return;  // the next frame takes its room
    }
    outbox_.commit(length);
    --room_;
}

template <port::Port P>
void Rack<P>::sent(std::uint32_t index, const Patience& patience, std::uint64_t now_ns) noexcept {
    Machine& machine = machines_[index];
    machine.sent_ns = now_ns;
    ++machine.attempt;
    machine.is_resent = machine.attempt > 1;
    wait(index, options_.resend_after_ms != 0 ? options_.resend_after_ms : patience.wait_ms(machine.attempt),
         now_ns);
}

template <port::Port P>
void Rack<P>::wait(std::uint32_t index, std::uint64_t ms, std::uint64_t now_ns) noexcept {
    wheel_.arm(index, machines_[index].timer, tftp::tick_of(now_ns) + tftp::ticks_of_ms(ms));
}

template <port::Port P>
void Rack<P>::resend(std::uint32_t index, std::uint64_t now_ns) {
    if (machines_[index].state == State::off) return;
    if (machines_[index].state == State::choosing) return enter(index, State::requesting, now_ns);
    if (machines_[index].attempt >= patience_of(index).tries) return give_up(index);
    const bool is_first = machines_[index].attempt == 0;  // there was no room for it
    if (!speak(index, now_ns)) return wait(index, 0, now_ns);
    if (!is_first) ++tally_.resends;
}

template <port::Port P>
const Patience& Rack<P>::patience_of(std::uint32_t index) const noexcept {
    const MachineKind& kind = kind_of(index);
    switch (machines_[index].state) {
        case State::discovering:
            return kind.dhcp.discover;
        case State::requesting:
            return kind.dhcp.request;
        case State::fetching:
            return kind.tftp.patience;
        default:
            return kArpPatience;
    }
}

template <port::Port P>
bool Rack<P>::speak(std::uint32_t index, std::uint64_t now_ns) {
    switch (machines_[index].state) {
        case State::off:
            return true;
        case State::resolving:
            return look_up(index, now_ns);
        case State::fetching:
            return fetch(index, now_ns);
        default:
            return ask(index, now_ns);
    }
}

template <port::Port P>
void Rack<P>::enter(std::uint32_t index, State state, std::uint64_t now_ns) {
    machines_[index].state = state;
    machines_[index].attempt = 0;
    // What comes next can wait; what is still to be answered in this turn cannot, a last block above all.
    if (room_ <= unanswered_ || !speak(index, now_ns)) wait(index, 0, now_ns);
}

}  // namespace rouse::load

#include "perf/load/rack_fetch.hpp"
#include "perf/load/rack_lease.hpp"
