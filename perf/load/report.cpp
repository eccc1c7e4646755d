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

}  // namespace

std::string progress_line(const Tally& now, const Tally& before, double seconds) {
    return fmt::format("{:>9} up, {:>8.0f}/s, {} under way, {} resent, {} given up", now.completed,
                       static_cast<double>(now.completed - before.completed) / seconds, now.under_way(),
                       now.resends, now.failed);
}

std::string summary(const Tally& tally) {
    std::string text = fmt::format("{} exchanges in {:.2f} s: {:.0f} a second\n", tally.completed,
                                   tally.seconds(), tally.exchanges_per_second());
    text += fmt::format("{} messages resent, {} machines gave up, {} under way at the end\n", tally.resends,
                        tally.failed, tally.under_way());
    text += latency_line("DISCOVER to OFFER", tally.offer);
    text += latency_line("REQUEST to ACK", tally.ack);
    text += latency_line("whole exchange", tally.exchange);
    if (tally.naks > 0) text += fmt::format("{} NAKs\n", tally.naks);
    if (tally.stray > 0) text += fmt::format("{} answers that nobody waited for\n", tally.stray);
    if (tally.unreadable > 0) text += fmt::format("{} frames that were no proper answer\n", tally.unreadable);
    if (tally.not_sent + tally.lost_by_device > 0)
        text += fmt::format("lost on this side: {} frames not sent, {} not received\n", tally.not_sent,
                            tally.lost_by_device);
    if (tally.none_free > 0) text += "all machines were under way at times: take more for this rate\n";
    if (tally.latest_ns > 10'000'000)
        text += fmt::format("this program fell behind its rate by up to {:.0f} ms: the machine is too busy\n",
                            to_us(tally.latest_ns) / 1e3);
    return text;
}

std::string to_json(const Tally& tally) {
    const nlohmann::json json{{"begun", tally.begun},
                              {"exchanges", tally.completed},
                              {"seconds", tally.seconds()},
                              {"exchanges_per_second", tally.exchanges_per_second()},
                              {"lost", tally.lost()},
                              {"resends", tally.resends},
                              {"failed", tally.failed},
                              {"under_way", tally.under_way()},
                              {"discovers", tally.discovers},
                              {"requests", tally.requests},
                              {"naks", tally.naks},
                              {"stray", tally.stray},
                              {"unreadable", tally.unreadable},
                              {"not_sent", tally.not_sent},
                              {"lost_by_device", tally.lost_by_device},
                              {"none_free", tally.none_free},
                              {"latest_us", to_us(tally.latest_ns)},
                              {"offer_us", percentiles(tally.offer)},
                              {"ack_us", percentiles(tally.ack)},
                              {"exchange_us", percentiles(tally.exchange)}};
    return json.dump(2);
}

}  // namespace rouse::load
