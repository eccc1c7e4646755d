#include "perf/load/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace rouse::load {
namespace {

double to_us(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e3;
}

nlohmann::json percentiles(const Histogram& histogram) {
    return {{"p50", to_us(histogram.percentile(0.5))},
            {"p90", to_us(histogram.percentile(0.9))},
            {"p99", to_us(histogram.percentile(0.99))},
            {"p999", to_us(histogram.percentile(0.999))},
            {"max", to_us(histogram.max())}};
}

std::string latency_line(const char* what, const Histogram& histogram) {
    return fmt::format("{:<20} p50 {:>9.0f} us   p90 {:>9.0f} us   p99 {:>9.0f} us   max {:>9.0f} us\n", what,
                       to_us(histogram.percentile(0.5)), to_us(histogram.percentile(0.9)),
                       to_us(histogram.percentile(0.99)), to_us(histogram.max()));
}

std::string files_summary(const Tally& tally) {
    std::string text =
        fmt::format("{} files, {:.1f} MB at {:.1f} MB/s; {} blocks out of order\n", tally.transfers,
                    static_cast<double>(tally.bytes) / 1e6, tally.goodput() / 1e6, tally.out_of_order);
    if (tally.probes + tally.misses > 0)
        text += fmt::format("{} sizes probed, {} names searched for in vain, as is usual\n", tally.probes,
                            tally.misses);
    if (tally.corrupt + tally.refused + tally.broken > 0)
        text += fmt::format("{} files CORRUPT, {} requests refused, {} transfers against the protocol\n",
                            tally.corrupt, tally.refused, tally.broken);
    return text;
}

// What should not be, as far as it was.
std::string oddities(const Tally& tally) {
    std::string text;
    const auto tell = [&text](std::uint64_t count, const char* what) {
        if (count > 0) text += fmt::format("{} {}\n", count, what);
    };
    tell(tally.naks, "NAKs");
    tell(tally.left, "machines left in the middle, as told to");
    tell(tally.dropped, "frames lost on purpose");
    tell(tally.stray, "answers that nobody waited for");
    tell(tally.unreadable, "frames that were no proper answer");
    tell(tally.not_sent, "frames not sent: this side's port was full");
    tell(tally.lost_by_device, "frames not received: this side was too slow");
    if (tally.none_free > 0) text += "all machines were under way at times: take more for this rate\n";
    if (tally.latest_ns > 10'000'000)
        text += fmt::format("this program fell behind its rate by up to {:.0f} ms: the machine is too busy\n",
                            to_us(tally.latest_ns) / 1e3);
    return text;
}

}  // namespace

std::string progress_line(const Tally& now, const Tally& before, double seconds) {
    std::string text =
        fmt::format("{:>9} up, {:>8.0f}/s, {} under way, {} resent, {} given up", now.completed,
                    static_cast<double>(now.completed - before.completed) / seconds, now.under_way(),
                    now.resends, now.failed);
    if (now.transfers + now.blocks > 0)
        text += fmt::format(", {} files, {:.0f} MB/s", now.transfers,
                            static_cast<double>(now.bytes - before.bytes) / seconds / 1e6);
    return text;
}

std::string summary(const Tally& tally) {
    std::string text = fmt::format("{} machines up in {:.2f} s: {:.0f} a second\n", tally.completed,
                                   tally.seconds(), tally.per_second(tally.completed));
    text += fmt::format("{} messages resent, {} machines gave up, {} under way at the end\n", tally.resends,
                        tally.failed, tally.under_way());
    if (tally.blocks > 0) text += files_summary(tally);
    if (tally.discovers > 0) {
        text += latency_line("DISCOVER to OFFER", tally.offer);
        text += latency_line("REQUEST to ACK", tally.ack);
        text += latency_line("whole exchange", tally.exchange);
    }
    if (tally.blocks > 0) {
        text += latency_line("request to block 1", tally.first_byte);
        text += latency_line("ACK to next block", tally.turnaround);
        text += latency_line("power on to up", tally.boot);
    }
    return text + oddities(tally);
}

Result<void> judge(const Tally& tally, Scenario::Kind scenario, std::uint32_t machines) {
    if (scenario != Scenario::Kind::avalanche)
        return tally.leases + tally.blocks > 0 ? Result<void>{}
                                               : fail("the server gave nobody an address or a file");
    if (tally.completed + tally.left == machines) return {};
    return fail(
        fmt::format("{} of {} machines came up: {} gave up, {} were under way at the end, {} did not begin",
                    tally.completed, machines, tally.failed, tally.under_way(), machines - tally.begun));
}

std::string to_json(const Tally& tally) {
    const nlohmann::json json{{"begun", tally.begun},
                              {"up", tally.completed},
                              {"failed", tally.failed},
                              {"left", tally.left},
                              {"under_way", tally.under_way()},
                              {"seconds", tally.seconds()},
                              {"exchanges", tally.leases},
                              {"exchanges_per_second", tally.per_second(tally.leases)},
                              {"lost", tally.lost()},
                              {"resends", tally.resends},
                              {"discovers", tally.discovers},
                              {"requests", tally.requests},
                              {"naks", tally.naks},
                              {"transfers", tally.transfers},
                              {"bytes", tally.bytes},
                              {"bytes_per_second", tally.goodput()},
                              {"blocks", tally.blocks},
                              {"out_of_order", tally.out_of_order},
                              {"probes", tally.probes},
                              {"misses", tally.misses},
                              {"refused", tally.refused},
                              {"broken", tally.broken},
                              {"corrupt", tally.corrupt},
                              {"stray", tally.stray},
                              {"unreadable", tally.unreadable},
                              {"dropped", tally.dropped},
                              {"not_sent", tally.not_sent},
                              {"lost_by_device", tally.lost_by_device},
                              {"none_free", tally.none_free},
                              {"latest_us", to_us(tally.latest_ns)},
                              {"offer_us", percentiles(tally.offer)},
                              {"ack_us", percentiles(tally.ack)},
                              {"exchange_us", percentiles(tally.exchange)},
                              {"first_byte_us", percentiles(tally.first_byte)},
                              {"turnaround_us", percentiles(tally.turnaround)},
                              {"boot_us", percentiles(tally.boot)}};
    return json.dump(2);
}

}  // namespace rouse::load
