#include "mgmt/server.hpp"

#include "mgmt/await.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/follow_up.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/worker_access.hpp"
#include "mgmt/memory.hpp"
#include "mgmt/o2ims/identity.hpp"
#include "mgmt/o2ims/performance/measurement_jobs.hpp"
#include "mgmt/o2ims/performance/performance_notifications.hpp"
#include "mgmt/o2ims/performance/readings.hpp"
#include "mgmt/rack_address.hpp"
#include "mgmt/rack_neighbours.hpp"
#include "mgmt/routes.hpp"
#include "mgmt/workers/feed.hpp"
#include "shared/clock.hpp"

#include <climits>
#include <filesystem>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace rouse::mgmt {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto kGrace = 5s;         // for requests under way when the server stops
constexpr auto kRackRetry = 200ms;  // until the rack's interface is there
constexpr auto kLook = 200ms;       // at whether the grace is over
constexpr unsigned kRackThreads = 2;
constexpr auto kKeepEvery = 60s;                         // what grows old: keys, the audit log
constexpr auto kCollectEvery = 30s;                      // contents that nothing names any more
constexpr std::uint64_t kAtRestCpuNs = kNanosPerSecond;  // of processor time meanwhile, at most
constexpr auto kGiveBackEvery = 10s;                     // memory

}  // namespace

Server::Server(const Config& config)
    : config_(config),
      dataplane_(config.store.run_dir),
      limiter_({.per_second = static_cast<double>(config.api.requests_per_second),
                .at_once = static_cast<double>(config.api.requests_at_once),
                .local_per_second = static_cast<double>(config.api.local_requests_per_second)}) {}

Result<std::unique_ptr<Server>> Server::open(const Config& config) {
    std::unique_ptr<Server> server(new Server(config));
    if (auto introduced = server->introduce(); !introduced) return tl::unexpected(introduced.error());
    if (auto opened = server->open_store(); !opened) return tl::unexpected(opened.error());
    if (auto opened = server->open_api(); !opened) return tl::unexpected(opened.error());
    return server;
}

Result<void> Server::introduce() {
    std::string id = config_.worker.id;
    if (id.empty()) {
        char name[HOST_NAME_MAX + 1] = {};
        if (::gethostname(name, HOST_NAME_MAX) != 0) return fail_errno("cannot read the host's name");
        id = name;
    }
    if (!ims::is_worker_id(id))
        return fail("worker.id \"" + id + "\" must be of letters, digits, \".\", \"_\" and \"-\"");
    appliance_.introduce(id, config_.worker.is_worker());
    roster_.emplace(config_.worker.tenure_seconds);
    if (!config_.worker.is_worker()) return {};
    return workers::check_address({config_.worker.centre, config_.worker.ca});
}

Result<void> Server::open_store() {
    const auto& state = config_.store.state_dir;
    std::error_code error;
    std::filesystem::create_directories(state, error);
    if (error) return fail("cannot create store.state_dir " + state + ": " + error.message());
    if (auto prepared = prepare_run_dir(config_.store.run_dir); !prepared) return prepared;
    auto store = store::Store::open(config_.lmdb_dir(), std::size_t{config_.store.map_size_gib} << 30);
    if (!store) return tl::unexpected(store.error());
    store_ = std::move(*store);
    if (const auto from = store_->migrated_from(); from != 0)
        spdlog::info("the store was migrated from schema version {} to {}", from, store::kSchemaVersion);
    writer_ = std::make_unique<store::Writer>(*store_);
    const auto identified = writer_->run([](store::Batch& batch) { return workers::ensure_identity(batch); });
    if (!identified) return tl::unexpected(identified.error());
    auto catalogue = boot::Catalogue::open(config_.images_dir(), *writer_);
    if (!catalogue) return tl::unexpected(catalogue.error());
    catalogue_.emplace(std::move(*catalogue));
    auto consumer = events::Consumer::create(*writer_, appliance_, config_.store.run_dir);
    if (!consumer) return tl::unexpected(consumer.error());
    consumer_ = std::move(*consumer);
    transfers_.emplace(*consumer_);
    auto cloud = o2ims::identify(*writer_, config_);
    if (!cloud) return tl::unexpected(cloud.error());
    inventory_ = std::make_unique<o2ims::Inventory>(*store_, consumer_->tables(), std::move(*cloud));
    if (auto opened = open_outbox(); !opened) return opened;
    if (auto installed = o2ims::install_jobs(*writer_); !installed) return installed;
    collector_ = std::make_unique<o2ims::Collector>(
        *store_,
        [this] {
            return o2ims::take_readings({*store_, consumer_->tables(), *inventory_, dataplane_, *transfers_});
        },
        o2ims::hand_to_subscribers(*writer_, delivery_->tables()));
    live_ = std::make_unique<live::Hub>(*writer_, consumer_->tables(), ims::visible);

    users_.emplace(*store_);
    const std::string password_file = state + "/admin-password";
    const auto first = ims::ensure_first_user(*writer_, password_file);
    if (!first) return tl::unexpected(first.error());
    if (*first) spdlog::warn("first start: user admin was made, its password is in {}", password_file);
    return {};
}

Result<void> Server::open_api() {
    auto auth = http::Auth::open({.key_directory = config_.store.state_dir + "/token-keys",
                                  .former_key = config_.store.state_dir + "/token-key.pem",
                                  .access_life = std::chrono::seconds(config_.api.access_token_seconds),
                                  .refresh_life = std::chrono::seconds(config_.api.refresh_token_seconds),
                                  .key_age = std::chrono::days(config_.api.token_key_days)},
                                 *users_);
    if (!auth) return tl::unexpected(auth.error());
    auth_.emplace(std::move(*auth));
    add_routes();
    http::ListenerOptions options{.name = "api", .listen = config_.api.listen};
    options.netns = config_.api.netns;
    options.tls_certificate = config_.api.tls_certificate;
    options.tls_key = config_.api.tls_key;
    options.tls_client_ca = config_.api.tls_client_ca;
    auto listener = http::Listener::open(io_, std::move(options), api_router_);
    if (!listener) return tl::unexpected(listener.error());
    api_listener_.emplace(std::move(*listener));
    return {};
}

ims::Services Server::services() {
    const std::string interface = config_.rack_interface();
    return {*writer_,
            *catalogue_,
            appliance_,
            *consumer_,
            *auth_,
            disk_,
            interface,
            *roster_,
            [interface](const IpAddress& peer) { return neighbour_of(interface, peer); }};
}

ims::Observation Server::observation() {
    return {*writer_,
            *consumer_,
            dataplane_,
            appliance_,
            requests_,
            *transfers_,
            limiter_,
            *audit_,
            [this] { return api_listener_ ? api_listener_->tls_status() : std::nullopt; },
            config_.store.state_dir,
            services().neighbours,
            live_.get(),
            &delivery_->statistics()};
}

void Server::add_routes() {
    audit_.emplace(*writer_);
    api_router_.limit_json_body(std::size_t{config_.api.max_body_mib} << 20);
    add_api_routes(api_router_, services(), observation(), *live_,
                   {*inventory_, *collector_, *delivery_, config_.o2ims.callback_test,
                    [this] { return inventory_events_->begin(); }});
    add_rack_routes(rack_router_, services(), observation(), *transfers_);
    if (config_.worker.is_worker())
        api_router_.authenticate_with(ims::with_centre(config_.worker.centre, api_router_.authenticator()));
    api_router_.limit_with([this](const http::Request& request) { return limiter_.admit(request); });
    audit_->watch(api_router_);
}

void Server::run() {
    consumer_->start();
    if (!config_.worker.is_worker()) start_outbox();
    api_listener_->start();
    spdlog::info("the API listens on {}", config_.api.listen);
    asio::co_spawn(strand_, serve_rack(), asio::detached);
    asio::co_spawn(strand_, collect_regularly(), asio::detached);
    asio::co_spawn(strand_, keep_secure(), asio::detached);
    asio::co_spawn(strand_, stay_small(), asio::detached);
    asio::co_spawn(strand_, provision(), asio::detached);
    asio::co_spawn(strand_, watch_for_alarms(), asio::detached);
    asio::co_spawn(strand_, measure(), asio::detached);
    if (config_.worker.is_worker())
        follow_centre();
    else
        asio::co_spawn(strand_, coordinate(), asio::detached);
    std::vector<std::thread> others;
    // On a single core a second one would only take turns with the first, a time slice each.
    if (std::thread::hardware_concurrency() > 1) others.emplace_back([this] { io_.run(); });
    for (unsigned i = 0; i < kRackThreads; ++i) others.emplace_back([this] { rack_io_.run(); });
    while (!io_.stopped() || !rack_io_.stopped()) {
        if (io_.stopped()) std::this_thread::sleep_for(kLook);
        io_.run_for(kLook);
        const std::uint64_t deadline = deadline_ns_;
        if (deadline == 0 || monotonic_ns() <= deadline) continue;
        io_.stop();
        rack_io_.stop();
    }
    for (auto& thread : others) thread.join();
    stop_outbox();
    spdlog::info("stopped");
}

void Server::stop() {
    asio::post(strand_, [this] {
        if (std::exchange(stopping_, true)) return;
        spdlog::info("stopping");
        // A little after the listeners cut what is left: whoever waits for something else waits no longer.
        deadline_ns_ = monotonic_ns() + std::chrono::nanoseconds(kGrace + 1s).count();
        rack_timer_.cancel();
        collect_timer_.cancel();
        security_timer_.cancel();
        memory_timer_.cancel();
        provision_timer_.cancel();
        alarm_timer_.cancel();
        measure_timer_.cancel();
        coordinate_timer_.cancel();
        if (follower_) follower_->stop();
        consumer_->waiters().close();  // long polls are answered now
        writer_->changes().close();
        live_->close();
        api_listener_->stop(kGrace);
        for (auto* listener : {&rack_listener_, &rack_listener6_})
            if (*listener) (*listener)->stop(kGrace);
        rack_stays_.reset();
    });
}

void Server::reload() {
    asio::post(strand_, [this] {
        if (!stopping_) api_listener_->reload_tls();
    });
}

asio::awaitable<bool> Server::pause(Timer& timer, std::chrono::milliseconds duration) {
    if (stopping_) co_return false;
    timer.expires_after(duration);
    co_await timer.async_wait(kAwait);
    co_return !stopping_;
}

// Waits for the rack's address, tells machines of it, and serves them.
asio::awaitable<void> Server::serve_rack() {
    std::string told;
    bool projected = false;
    for (;;) {
        const auto found = find_rack_address(config_);
        std::string trouble = found ? "" : found.error().message;
        const bool is_news = found && found->address != appliance_.address();
        if (is_news) appliance_.set(found->address, found->port);
        if (is_news || !projected) co_await project_all();
        projected = true;
        if (found) {
            const auto listening = listen_on_rack(found->listen());
            if (listening) co_return;
            trouble = listening.error().message;
        }
        if (trouble != told) spdlog::warn("machines cannot reach rouse-mgmt yet: {}; trying again", trouble);
        told = trouble;
        if (!co_await pause(rack_timer_, kRackRetry)) co_return;
    }
}

Result<void> Server::listen_on_rack(const std::string& address) {
    if (stopping_) return fail("the server stops");
    http::ListenerOptions options{.name = "rack", .listen = address};
    options.plain_anywhere = true;
    auto listener = http::Listener::open(rack_io_, std::move(options), rack_router_);
    if (!listener) return tl::unexpected(listener.error());
    rack_listener_.emplace(std::move(*listener));
    rack_listener_->start();
    spdlog::info("machines are served on {}", appliance_.url());
    if (config_.dataplane.ipv6_boot && config_.rack.listen.empty()) listen_on_rack6();
    return {};
}

// DHCPv6 gives firmware http:// URLs with whichever of the interface's addresses is near; they come and go,
// so the interface itself is what is listened on.
void Server::listen_on_rack6() {
    http::ListenerOptions options{.name = "rack over IPv6", .listen = "[::]:80"};
    options.interface = config_.rack_interface();
    options.plain_anywhere = true;
    auto listener = http::Listener::open(rack_io_, std::move(options), rack_router_);
    if (!listener) {
        spdlog::warn("no HTTP boot over IPv6: {}", listener.error().message);
        return;
    }
    rack_listener6_.emplace(std::move(*listener));
    rack_listener6_->start();
}

asio::awaitable<void> Server::project_all() {
    const auto projected = co_await ims::project_everything(services());
    if (!projected)
        spdlog::error("cannot tell the dataplane about all machines: {}", projected.error().message);
}

asio::awaitable<void> Server::collect_regularly() {
    while (co_await pause(collect_timer_, kCollectEvery)) {
        const auto collected = co_await ims::run_on(disk_, [this] { return catalogue_->collect(*writer_); });
        if (!collected)
            spdlog::error("cannot remove what is no longer named: {}", collected.error().message);
        else if (*collected > 0)
            spdlog::info("removed {} images that nothing names any more", *collected);
    }
}

asio::awaitable<void> Server::stay_small() {
    for (std::uint64_t used = 0; co_await pause(memory_timer_, kGiveBackEvery);) {
        const std::uint64_t before = std::exchange(used, used_cpu_ns());
        if (used - before > kAtRestCpuNs) continue;
        const auto give_back = [this] { return give_back_memory(config_.lmdb_dir() + "/data.mdb"); };
        co_await ims::run_on(disk_, give_back);  // a store that is not mapped takes none
    }
}

// Changes the keys of tokens when it is time, and keeps the audit log within its limits.
asio::awaitable<void> Server::keep_secure() {
    const store::AuditLimits limits{.age = std::chrono::days(config_.audit.days),
                                    .bytes = std::uint64_t{config_.audit.mib} << 20};
    while (co_await pause(security_timer_, kKeepEvery)) {
        const auto tended = co_await ims::run_on(disk_, [this] { return auth_->tend_keys(); });
        if (!tended) spdlog::error("cannot change the token keys: {}", tended.error().message);
        const auto prune = [&limits](store::Batch& batch) { return store::prune_audit(batch, limits); };
        for (;;) {
            const auto pruned = co_await writer_->submit(prune);
            if (!pruned) spdlog::error("cannot shorten the audit log: {}", pruned.error().message);
            if (!pruned || *pruned == 0 || stopping_) break;
        }
    }
}

}  // namespace rouse::mgmt
