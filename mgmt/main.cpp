// rouse-mgmt: the management plane. Owns the REST API and is the single writer of the store.

#include "mgmt/http/access_log.hpp"
#include "mgmt/maintenance/check_store.hpp"
#include "mgmt/maintenance/restore.hpp"
#include "mgmt/memory.hpp"
#include "mgmt/server.hpp"
#include "shared/config.hpp"
#include "shared/logging.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>

#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace {

void start_logging(const rouse::Config& config) {
    spdlog::set_default_logger(spdlog::stderr_color_mt("rouse-mgmt"));
    spdlog::set_level(spdlog::level::from_str(config.log.level));
    if (config.log.format == "json") rouse::log_as_json("rouse-mgmt");
    rouse::http::log_requests_at(config.log.requests);
}

int serve(const rouse::Config& config) {
    auto server = rouse::mgmt::Server::open(config);
    if (!server) {
        spdlog::critical("{}", server.error().message);
        return EXIT_FAILURE;
    }
    boost::asio::signal_set signals((*server)->io(), SIGTERM, SIGINT);
    boost::asio::signal_set reloads((*server)->io(), SIGHUP);
    signals.async_wait([&](boost::system::error_code error, int) {
        if (error) return;
        reloads.cancel();
        (*server)->stop();
    });
    std::function<void()> await_reload = [&] {
        reloads.async_wait([&](boost::system::error_code error, int) {
            if (error) return;
            (*server)->reload();
            await_reload();
        });
    };
    await_reload();
    (*server)->run();
    return EXIT_SUCCESS;
}

int restore(const rouse::Config& config, const std::string& file) {
    const auto restored = rouse::maintenance::restore(config, file);
    if (!restored) {
        std::cerr << restored.error().message << std::endl;
        return EXIT_FAILURE;
    }
    std::cout << "restored the backup of " << restored->made_at << ": " << restored->documents
              << " documents, " << restored->images << " images' contents\n";
    if (!restored->former.empty()) std::cout << "the former store is " << restored->former << '\n';
    for (const auto& fault : restored->faults) std::cout << "fault: " << fault << '\n';
    std::cout << "now start rouse-mgmt and rouse-dataplane" << std::endl;
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    std::string backup;
    bool is_check = false;
    const auto parsed = rouse::parse_config(
        "rouse-mgmt", "rouse's management plane: REST API and store", argc, argv,
        {{"--restore", "become what this backup says, then end; rouse-mgmt and rouse-dataplane are stopped",
          &backup},
         {"--check-store", "tell what the store holds and whether it is consistent, then end", &is_check}});
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    const auto& config = std::get<rouse::Config>(parsed);
    start_logging(config);
    rouse::mgmt::keep_memory_small();
    std::signal(SIGPIPE, SIG_IGN);  // a peer that hangs up is an error of that write, not of the process
    try {
        if (is_check) return rouse::maintenance::check_store(config, std::cout, std::cerr);
        if (!backup.empty()) return restore(config, backup);
        return serve(config);
    } catch (const std::exception& error) {
        spdlog::critical("{}", error.what());
        return EXIT_FAILURE;
    }
}
