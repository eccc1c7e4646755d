#include "mgmt/o2ims/provisioning/provisioning.hpp"

#include <algorithm>
#include <cstddef>

namespace rouse::o2ims {

using events::BootStage;

namespace {

std::string seconds(std::uint64_t count) {
    return std::to_string(count) + " s";
}

ServerJudgement failed(std::string text) {
    return {ServerPhase::failed, std::move(text)};
}

// Before its first boot.
ServerJudgement judge_silent(const ServerFacts& server, const Patience& patience, std::uint64_t elapsed) {
    const bool is_late = elapsed >= patience.power_on_seconds;
    if (server.resource_id.empty()) {
        if (is_late)
            return failed("no free server was found for " + server.name + " within " +
                          seconds(patience.power_on_seconds));
        return {ServerPhase::awaiting_free_resources, server.name + " waits for a free server"};
    }
    if (is_late)
        return failed(server.name + " failed at stage power-on: it was not heard of within " +
                      seconds(patience.power_on_seconds) +
                      "; see that it is powered on and boots from the network");
    return {ServerPhase::processing, server.name + " waits to be powered on"};
}

}  // namespace

ServerJudgement judge(const ServerFacts& server, const Patience& patience, std::uint64_t elapsed) {
    if (server.boots == 0) return judge_silent(server, patience, elapsed);
    if (server.stage == BootStage::home || server.stage == BootStage::handed_over)
        return {ServerPhase::provisioned, server.name + " is provisioned"};
    const std::string stage(info(server.stage).name);
    if (server.stage == BootStage::failed && server.boots >= patience.boots)
        return failed(server.name + " failed " + std::to_string(server.boots) +
                      " times, the last time: " + server.verdict);
    if (elapsed >= patience.total_seconds)
        return failed(server.name + " failed at stage " + stage + ": it was not done within " +
                      seconds(patience.total_seconds) +
                      (server.verdict.empty() ? "" : "; " + server.verdict));
    if (server.stage == BootStage::failed)
        return {ServerPhase::processing, server.name + " waits to be powered on again: " + server.verdict};
    return {ServerPhase::processing, server.name + " is at stage " + stage};
}

Judgement judge(const std::vector<ServerFacts>& servers, const Patience& patience, std::uint64_t elapsed) {
    Judgement out;
    std::size_t done = 0;
    std::string first_failure, first_news;
    for (const auto& server : servers) {
        out.servers.push_back(judge(server, patience, elapsed));
        const auto& [phase, text] = out.servers.back();
        done += phase == ServerPhase::provisioned ? 1 : 0;
        if (phase == ServerPhase::failed && first_failure.empty()) first_failure = text;
        if (phase != ServerPhase::provisioned && first_news.empty()) first_news = text;
    }
    const std::string count = std::to_string(done) + " of " + std::to_string(servers.size()) +
                              (servers.size() == 1 ? " server" : " servers") + " provisioned";
    if (!first_failure.empty()) {
        out.phase = Phase::failed;
        out.message = first_failure + " (" + count + ")";
    } else if (done == servers.size()) {
        out.phase = Phase::fulfilled;
        out.message = count;
    } else {
        out.message = count + "; " + first_news;
    }
    return out;
}

}  // namespace rouse::o2ims
