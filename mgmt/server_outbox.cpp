// What a server does for O2ims subscribers and the SMO.

#include "mgmt/o2ims/alarm_notifications.hpp"
#include "mgmt/o2ims/performance_notifications.hpp"
#include "mgmt/server.hpp"

#include <fstream>
#include <iterator>
#include <utility>

namespace rouse::mgmt {
namespace {

// A secret's file without the line's end that editors leave; empty for no file.
Result<std::string> read_secret(const std::string& setting, const std::string& path) {
    if (path.empty()) return std::string();
    std::ifstream in(path);
    std::string out{std::istreambuf_iterator<char>(in), {}};
    while (out.ends_with('\n') || out.ends_with('\r')) out.pop_back();
    if (!in || out.empty()) return fail("cannot read " + setting + " " + path + ", or nothing is in it");
    return out;
}

}  // namespace

Result<void> Server::open_outbox() {
    const auto& said = config_.o2ims;
    auto signing = read_secret("o2ims.callback_secret_file", said.callback_secret_file);
    if (!signing) return tl::unexpected(signing.error());
    auto client = read_secret("o2ims.smo.client_secret_file", said.smo.client_secret_file);
    if (!client) return tl::unexpected(client.error());
    if (said.smo.certificate.empty() != said.smo.key.empty())
        return fail("o2ims.smo.certificate and o2ims.smo.key go together: set both or none");
    const auto tables = writer_->run([](store::Batch& batch) { return o2ims::OutboxTables::open(batch); });
    if (!tables) return tl::unexpected(tables.error());
    const web::TlsFiles tls{said.smo.ca, said.smo.certificate, said.smo.key};
    smo_ = std::make_unique<o2ims::SmoLink>(
        *writer_, *tables, inventory_->cloud(),
        o2ims::SmoOptions{.url = said.smo.url,
                          .form = said.smo.form == "starlingx" ? o2ims::RegistrationForm::starlingx
                                                               : o2ims::RegistrationForm::plain,
                          .tls = tls,
                          .token_url = said.smo.token_url,
                          .client_id = said.smo.client_id,
                          .client_secret = std::move(*client),
                          .scope = said.smo.scope});
    delivery_ = std::make_unique<o2ims::Delivery>(
        *writer_, *tables,
        o2ims::DeliveryOptions{.policy = {.hosts = said.callback_hosts,
                                          .allows_http = said.callback_http,
                                          .allows_loopback = said.callback_loopback,
                                          .allows_link_local = said.callback_link_local,
                                          .smo_url = said.smo.url},
                               .tls = tls,
                               .secret = std::move(*signing),
                               .token = [this] { return smo_->token(); },
                               .renew_token = [this](std::uint64_t number) { smo_->renew_token(number); }});
    delivery_->add_language(o2ims::kInventoryService, o2ims::parse_inventory_filter);
    delivery_->add_language(o2ims::kMonitoringService, o2ims::parse_alarm_filter);
    delivery_->add_language(o2ims::kPerformanceService, o2ims::parse_results_filter);
    inventory_events_ = std::make_unique<o2ims::InventoryEvents>(*writer_, *inventory_, *delivery_);
    return {};
}

void Server::start_outbox() {
    smo_->start();
    delivery_->start();
    inventory_events_->start();
}

void Server::stop_outbox() {
    inventory_events_->stop();
    delivery_->stop();
    smo_->stop();
}

}  // namespace rouse::mgmt
