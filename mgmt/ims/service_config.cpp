// /api/dhcp-config/ and /api/tftp-config/: what an operator switches, and where the dataplane serves.

#include "mgmt/boot/settings.hpp"
#include "mgmt/boot/sha256.hpp"
#include "mgmt/http/entity_tag.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"

#include <functional>
#include <memory>

#include <nlohmann/json.hpp>

namespace rouse::ims {

using boot::Settings;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr int kTftpPort = 69;

// One of the two: fields as clients see them, from the settings and back.
struct ServiceConfig {
    std::string path;
    std::string noun;
    const http::Schema& schema;
    std::function<json(const Services&, const Settings&)> show;
    std::function<void(const json& fields, Settings&)> change;
};

const http::Schema& dhcp_schema() {
    static const http::Schema schema(
        "DhcpConfig", "DHCP as a whole; what is given to machines is in the pools",
        {http::boolean("enabled", "false: silent at once, on every network").default_to(true),
         http::choice("mode", "of pools that name none; proxy: another server gives the addresses",
                      {"server", "proxy"})
             .default_to("server"),
         http::ipv4("bind_address", "ours on the rack; from the configuration or the interface").read_only(),
         http::string("bind_interface", "the rack's, from the configuration").read_only(),
         http::ipv4("tftp_ip", "the server that machines are sent to: this one").read_only(),
         http::integer("tftp_port", "always 69: firmware knows no other").read_only()});
    return schema;
}

const http::Schema& tftp_schema() {
    static const http::Schema schema(
        "TftpConfig", "TFTP as a whole",
        {http::boolean("enabled", "false: silent at once; transfers under way finish").default_to(true),
         http::integer("block_size",
                       "largest block that is agreed to (RFC 2348); frames' size caps it further")
             .range(512, 65'464)
             .default_to(store::SwitchRecord{}.max_block_size),
         http::ipv4("bind_address", "ours on the rack; from the configuration or the interface").read_only(),
         http::integer("bind_port", "always 69: firmware knows no other").read_only(),
         http::string("root_directory", "the catalogue of images: names resolve there and nowhere else")
             .read_only()});
    return schema;
}

json rack_address(const Services& services) {
    const auto address = services.appliance.address();
    return address.is_zero() ? json() : json(address.to_string());
}

const ServiceConfig& dhcp_config() {
    static const ServiceConfig config{.path = "/api/dhcp-config/",
                                      .noun = "DHCP",
                                      .schema = dhcp_schema(),
                                      .show =
                                          [](const Services& services, const Settings& settings) {
                                              return json{{"enabled", settings.dhcp},
                                                          {"mode", settings.proxy ? "proxy" : "server"},
                                                          {"bind_address", rack_address(services)},
                                                          {"bind_interface", services.rack_interface},
                                                          {"tftp_ip", rack_address(services)},
                                                          {"tftp_port", kTftpPort}};
                                          },
                                      .change =
                                          [](const json& fields, Settings& settings) {
                                              settings.dhcp = fields.at("enabled");
                                              settings.proxy = fields.at("mode") == "proxy";
                                          }};
    return config;
}

const ServiceConfig& tftp_config() {
    static const ServiceConfig config{.path = "/api/tftp-config/",
                                      .noun = "TFTP",
                                      .schema = tftp_schema(),
                                      .show =
                                          [](const Services& services, const Settings& settings) {
                                              return json{{"enabled", settings.tftp},
                                                          {"block_size", settings.block_size},
                                                          {"bind_address", rack_address(services)},
                                                          {"bind_port", kTftpPort},
                                                          {"root_directory", "/"}};
                                          },
                                      .change =
                                          [](const json& fields, Settings& settings) {
                                              settings.tftp = fields.at("enabled");
                                              settings.block_size = fields.at("block_size");
                                          }};
    return config;
}

// Both are made of one document, and of where the appliance is; so the tag is of what is shown.
std::string tag_of(const json& shown) {
    return '"' + boot::to_hex(boot::sha256(store::bytes_of(std::string_view(shown.dump())))).substr(0, 16) +
           '"';
}

http::Outcome read(const Services& services, const ServiceConfig& config, const http::Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto settings = boot::read_settings(*snapshot);
    if (!settings) return refused(settings.error());
    const json shown = config.show(services, *settings);
    const std::string tag = tag_of(shown);
    http::Response response = http::Response::json(shown);
    if (request.method == http::Method::get && http::lists_tag(request.headers.get("If-None-Match"), tag)) {
        response = http::Response{};
        response.status = http::Status::not_modified;
    }
    response.headers.set("ETag", tag);
    return response;
}

asio::awaitable<http::Outcome> change(const Services& services, const ServiceConfig& config,
                                      const http::Request& request, bool patch) {
    const json& body = request.json();
    const auto changed = co_await services.change(request, [&](store::Batch& batch) -> Outcome<void> {
        auto settings = boot::read_settings(batch);
        if (!settings) return pass_on(settings.error());
        const json current = config.show(services, *settings);
        if (auto matched = check_match(request, tag_of(current)); !matched) return matched;
        json fields = body;
        if (patch) {
            auto merged = merge(config.schema, current, body);
            if (!merged) return pass_on(merged.error());
            fields = std::move(*merged);
        }
        config.change(fields, *settings);
        return boot::write_settings(batch, *settings);
    });
    if (!changed) co_return refused(changed.error());
    co_return read(services, config, request);
}

void add(http::Router& router, const Services& services, const ServiceConfig& config) {
    const auto route = [&config](http::Method method, const std::string& verb) {
        const bool writes = method != http::Method::get;
        return http::Route{.method = method,
                           .pattern = config.path,
                           .access = http::Access::of(writes ? http::Role::operator_ : http::Role::viewer),
                           .tag = "Services",
                           .summary = verb + " the configuration of " + config.noun,
                           .response = &config.schema,
                           .has_tag = true,
                           .failures = writes ? std::vector{http::Status::insufficient_storage}
                                              : std::vector<http::Status>{}};
    };
    router.add(route(http::Method::get, "Read"),
               [services, &config](http::Request& request) { return read(services, config, request); });
    for (const bool patch : {false, true}) {
        auto changing = route(patch ? http::Method::patch : http::Method::put, patch ? "Change" : "Replace");
        changing.body = patch ? http::BodyKind::patch : http::BodyKind::json;
        changing.request = &config.schema;
        router.add(std::move(changing), http::Handler([services, &config, patch](http::Request& request) {
                       return change(services, config, request, patch);
                   }));
    }
}

}  // namespace

void add_service_config(http::Router& router, const Services& services) {
    add(router, services, dhcp_config());
    add(router, services, tftp_config());
}

}  // namespace rouse::ims
