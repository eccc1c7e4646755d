#pragma once
// A rack of simulated machines on one port. Each leases its address by DISCOVER, OFFER, REQUEST, ACK as its
// kind does, resends as patiently as that, and may begin anew later. One thread; time is given.

#include "dataplane/worker/outbox.hpp"
#include "perf/load/answer.hpp"
#include "perf/load/question.hpp"
#include "perf/load/resend_queue.hpp"
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
    std::uint32_t resend_after_ms = 0;               // instead of the kind's own wait; 0: the kind's
    std::uint64_t seed = 1;
    Scenario scenario{};
};

template <port::Port P>
class Rack {
  public:
    Rack(P& port, const RackOptions& options, std::uint64_t now_ns)
        : port_(&port),
          options_(options),
          outbox_(port, counters_),
          pacer_(options.scenario, options.machines, now_ns),
          machines_(options.machines),
          order_(options.machines),
          random_(options.seed) {
        for (const auto* kind : options.kinds) {
            discovers_.emplace_back(*kind, wire::DhcpType::discover);
            requests_.emplace_back(*kind, wire::DhcpType::request);
        }
        for (std::uint32_t i = 0; i < options.machines; ++i) order_[i] = i;
        std::shuffle(order_.begin(), order_.end(), random_);
    }

    // One burst in, at most one burst out: no more than the port takes at once, so that nothing queues here.
    void turn(std::uint64_t now_ns) {
        room_ = port::kBurst;
        std::array<port::Frame, port::kBurst> burst;
        const std::size_t received = port_->receive(burst);
        for (std::size_t i = 0; i < received; ++i) take(burst[i].bytes(), now_ns);
        port_->release(std::span(burst).first(received));
        queue_.take_due(now_ns, [&](const auto& waiting) { return resend(waiting, now_ns); });
        begin_some(now_ns);
        outbox_.flush();
    }
    // Nobody begins any more and nobody is under way.
    [[nodiscard]] bool is_done(std::uint64_t now_ns) const noexcept {
        return is_over(now_ns) && tally_.under_way() == 0;
    }
    // Nobody begins any more.
    [[nodiscard]] bool is_over(std::uint64_t now_ns) const noexcept {
        return pacer_.is_over(now_ns, tally_.begun);
    }

    [[nodiscard]] Tally tally() const {
        Tally result = tally_;
        result.not_sent = counters_.get(DropReason::transmit_ring_full);
        result.lost_by_device = port_->statistics().receive_dropped;
        return result;
    }

  private:
    enum class State : std::uint8_t { idle, discovering, requesting };
    struct Machine {
        std::uint64_t began_ns = 0;  // its first DISCOVER of this exchange
        std::uint64_t sent_ns = 0;   // its last message
        std::uint32_t transaction = 0;
        std::uint32_t message = 0;  // number of its last message, over all exchanges
        Ipv4Address address;
        Ipv4Address server;
        State state = State::idle;
        std::uint8_t attempt = 0;  // of the message in this state, from 1
    };

    [[nodiscard]] std::uint8_t kind_of(std::uint32_t machine) const noexcept {
        return static_cast<std::uint8_t>(machine % options_.kinds.size());
    }
    static constexpr std::uint64_t to_number(const MacAddress& mac) noexcept {
        std::uint64_t number = 0;
        for (const auto octet : mac.octets) number = number << 8 | octet;
        return number;
    }
    [[nodiscard]] MacAddress mac_of(std::uint32_t machine) const noexcept {
        MacAddress mac;
        std::uint64_t number = to_number(options_.first_mac) + machine;
        for (std::size_t i = 6; i-- > 0; number >>= 8) mac.octets[i] = static_cast<std::uint8_t>(number);
        return mac;
    }

    // False: there is no room for another frame in this turn.
    bool send(std::uint32_t index, std::uint64_t now_ns) {
        const auto room = room_ > 0 ? outbox_.room() : std::span<std::byte>{};
        if (room.empty()) return false;
        --room_;
        Machine& machine = machines_[index];
        const bool is_request = machine.state == State::requesting;
        const std::uint8_t kind = kind_of(index);
        const auto& question = (is_request ? requests_ : discovers_)[kind];
        outbox_.commit(question.write(
            room, {.mac = mac_of(index),
                   .transaction = machine.transaction,
                   .seconds = static_cast<std::uint16_t>((now_ns - machine.began_ns) / kNanosPerSecond),
                   .requested_address = machine.address,
                   .server_identifier = machine.server}));
        ++(is_request ? tally_.requests : tally_.discovers);
        ++machine.message;
        ++machine.attempt;
        machine.sent_ns = now_ns;
        const std::uint64_t wait_ms = options_.resend_after_ms != 0
                                          ? options_.resend_after_ms
                                          : options_.kinds[kind]->wait_ms(is_request, machine.attempt);
        queue_.add(kind, is_request, machine.attempt,
                   {now_ns + wait_ms * kNanosPerMilli, index, machine.message});
        return true;
    }

    bool resend(const ResendQueue::Waiting& waiting, std::uint64_t now_ns) {
        Machine& machine = machines_[waiting.machine];
        if (machine.state == State::idle || machine.message != waiting.message) return true;
        if (machine.attempt >= options_.kinds[kind_of(waiting.machine)]->tries) {
            give_up(machine);
            return true;
        }
        if (!send(waiting.machine, now_ns)) return false;
        ++tally_.resends;
        return true;
    }
    void give_up(Machine& machine) noexcept {
        machine.state = State::idle;
        ++tally_.failed;
    }

    void begin_some(std::uint64_t now_ns) {
        std::uint64_t due = pacer_.due(now_ns, tally_.begun, tally_.under_way());
        for (; due > 0 && room_ > 0; --due) {
            if (tally_.under_way() >= machines_.size()) {
                ++tally_.none_free;
                return;
            }
            // Most are idle, so the next or one soon after it is.
            while (machines_[order_[next_]].state != State::idle) advance();
            if (!begin(order_[next_], now_ns)) return;
            advance();
        }
    }
    void advance() noexcept { next_ = next_ + 1 == order_.size() ? 0 : next_ + 1; }
    bool begin(std::uint32_t index, std::uint64_t now_ns) {
        Machine& machine = machines_[index];
        machine.state = State::discovering;
        machine.attempt = 0;
        machine.began_ns = now_ns;
        machine.transaction = static_cast<std::uint32_t>(random_());
        if (!send(index, now_ns)) {
            machine.state = State::idle;
            return false;
        }
        tally_.latest_ns = std::max(tally_.latest_ns, pacer_.lateness_ns(now_ns, tally_.begun));
        if (tally_.begun++ == 0) tally_.first_ns = now_ns;
        return true;
    }

    void take(wire::ConstBytes frame, std::uint64_t now_ns) {
        const auto answer = read_answer(frame);
        if (!answer) {
            ++tally_.unreadable;
            return;
        }
        const std::uint64_t index = to_number(answer->machine) - to_number(options_.first_mac);
        if (index >= machines_.size() || machines_[index].transaction != answer->transaction) {
            ++tally_.stray;
            return;
        }
        handle(static_cast<std::uint32_t>(index), *answer, now_ns);
    }
    void handle(std::uint32_t index, const Answer& answer, std::uint64_t now_ns) {
        Machine& machine = machines_[index];
        if (machine.state == State::discovering && answer.type == wire::DhcpType::offer) {
            if (machine.attempt == 1) tally_.offer.count(now_ns - machine.sent_ns);
            machine.state = State::requesting;
            machine.attempt = 0;
            machine.address = answer.address;
            machine.server = answer.server;
            // A turn takes in no more frames than it may send; only a port without frames has no room for
            // this.
            if (!send(index, now_ns)) queue_.add(kind_of(index), true, 1, {now_ns, index, machine.message});
        } else if (machine.state == State::requesting && answer.type == wire::DhcpType::ack) {
            if (machine.attempt == 1) tally_.ack.count(now_ns - machine.sent_ns);
            tally_.exchange.count(now_ns - machine.began_ns);
            machine.state = State::idle;
            ++tally_.completed;
            tally_.last_ns = now_ns;
        } else if (machine.state == State::requesting && answer.type == wire::DhcpType::nak) {
            ++tally_.naks;
            give_up(machine);
        } else {
            ++tally_.stray;
        }
    }

    P* port_;
    RackOptions options_;
    WorkerCounters counters_;
    worker::Outbox<P> outbox_;
    Pacer pacer_;
    std::vector<Machine> machines_;
    std::vector<std::uint32_t> order_;
    std::mt19937_64 random_;
    std::vector<Question> discovers_;
    std::vector<Question> requests_;
    ResendQueue queue_;
    Tally tally_;
    std::size_t next_ = 0;  // in order_
    std::size_t room_ = 0;  // frames that this turn may still send
};

}  // namespace rouse::load
