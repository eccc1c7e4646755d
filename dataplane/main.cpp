// rouse-dataplane: answers DHCP and TFTP on the rack from what rouse-mgmt has committed.

#include "dataplane/process.hpp"
#include "shared/logging.hpp"

#include <atomic>
#include <csignal>

#include <spdlog/spdlog.h>

namespace {

std::atomic<bool> stop_requested{false};

void request_stop(int) {
    stop_requested.store(true);
}

}  // namespace

int main(int argc, char** argv) {
    const auto parsed =
        rouse::parse_config("rouse-dataplane", "The poll-mode dataplane of rouse.", argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    const auto& config = std::get<rouse::Config>(parsed);

    spdlog::set_level(spdlog::level::from_str(config.log.level));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    if (config.log.format == "json") rouse::log_as_json("rouse-dataplane");
    std::signal(SIGTERM, request_stop);
    std::signal(SIGINT, request_stop);

    if (const auto result = rouse::run_dataplane(config, stop_requested); !result) {
        spdlog::error("{}", result.error().message);
        return 1;
    }
    spdlog::info("stopped");
    return 0;
}
