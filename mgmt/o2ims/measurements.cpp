#include "mgmt/o2ims/measurements.hpp"

#include "mgmt/o2ims/uuid.hpp"

#include <algorithm>

namespace rouse::o2ims {

using nlohmann::json;

namespace {

constexpr char kCpuUsage[] = "cpu_usage";
constexpr char kMemoryUsed[] = "memory_used";
constexpr char kMemoryUsage[] = "memory_usage";
constexpr char kDiskUsed[] = "disk_used";
constexpr char kDiskUsage[] = "disk_usage";
constexpr char kNetworkIncoming[] = "network_incoming";
constexpr char kNetworkOutgoing[] = "network_outgoing";

// A field of what the machine's system last said of its load.
template <const char* Field>
std::optional<double> of_load(const Facts& facts) {
    if (facts.load == nullptr) return std::nullopt;
    const auto found = facts.load->find(Field);
    if (found == facts.load->end() || !found->is_number()) return std::nullopt;
    return found->template get<double>();
}

template <auto Member>
std::optional<double> of_boot(const Facts& facts) {
    if (facts.boot == nullptr) return std::nullopt;
    return static_cast<double>(facts.boot->*Member);
}

template <Counter Which>
std::optional<double> counted(const Facts& facts) {
    if (facts.appliance == nullptr || !facts.appliance->has_dataplane) return std::nullopt;
    return static_cast<double>(facts.appliance->counters[static_cast<std::size_t>(Which)]);
}

template <auto Member>
std::optional<double> of_dataplane(const Facts& facts) {
    if (facts.appliance == nullptr || !facts.appliance->has_dataplane) return std::nullopt;
    return static_cast<double>(facts.appliance->*Member);
}

template <auto Member>
std::optional<double> of_appliance(const Facts& facts) {
    if (facts.appliance == nullptr) return std::nullopt;
    return static_cast<double>(facts.appliance->*Member);
}

constexpr auto kServer = MeasuredOf::server;
constexpr auto kAppliance = MeasuredOf::appliance;
using Boot = events::BootRecord;

constexpr auto kMeasurements = std::to_array<Measurement>({
    {"server.cpuUsage", kServer, "Processor usage", "percent", false, "the system's last heartbeat",
     of_load<kCpuUsage>},
    {"server.memoryUsed", kServer, "Memory in use", "GB", false, "the system's last heartbeat",
     of_load<kMemoryUsed>},
    {"server.memoryUsage", kServer, "Memory usage", "percent", false, "the system's last heartbeat",
     of_load<kMemoryUsage>},
    {"server.diskUsed", kServer, "Disk space in use", "GB", false, "the system's last heartbeat",
     of_load<kDiskUsed>},
    {"server.diskUsage", kServer, "Disk usage", "percent", false, "the system's last heartbeat",
     of_load<kDiskUsage>},
    {"server.networkIncoming", kServer, "Traffic received", "Mbit/s", false, "the system's last heartbeat",
     of_load<kNetworkIncoming>},
    {"server.networkOutgoing", kServer, "Traffic sent", "Mbit/s", false, "the system's last heartbeat",
     of_load<kNetworkOutgoing>},
    {"server.boots", kServer, "Boots from the network", "1", true, "the server's timeline",
     of_boot<&Boot::number>},
    {"server.bootBytes", kServer, "Bytes received in the last boot", "byte", false, "the server's timeline",
     of_boot<&Boot::bytes>},
    {"server.bootFiles", kServer, "Files received in the last boot", "1", false, "the server's timeline",
     of_boot<&Boot::files>},
    {"server.bootBlocksResent", kServer, "Blocks sent again in the last boot", "1", false,
     "the server's timeline", of_boot<&Boot::resent>},
    {"appliance.framesReceived", kAppliance, "Frames received from the rack", "1", true,
     "the dataplane's counters", counted<Counter::frames_received>},
    {"appliance.framesSent", kAppliance, "Frames sent to the rack", "1", true, "the dataplane's counters",
     counted<Counter::frames_sent>},
    {"appliance.framesDropped", kAppliance, "Frames dropped, for whatever reason", "1", true,
     "the dataplane's counters", of_dataplane<&ApplianceFacts::drops>},
    {"appliance.dhcpDiscovers", kAppliance, "DHCPDISCOVER received", "1", true, "the dataplane's counters",
     counted<Counter::dhcp_discovers>},
    {"appliance.dhcpOffers", kAppliance, "DHCPOFFER sent", "1", true, "the dataplane's counters",
     counted<Counter::dhcp_offers>},
    {"appliance.dhcpAcks", kAppliance, "DHCPACK sent", "1", true, "the dataplane's counters",
     counted<Counter::dhcp_acks>},
    {"appliance.dhcpNaks", kAppliance, "DHCPNAK sent", "1", true, "the dataplane's counters",
     counted<Counter::dhcp_naks>},
    {"appliance.tftpSessions", kAppliance, "TFTP transfers under way", "1", false, "the dataplane's counters",
     of_dataplane<&ApplianceFacts::tftp_sessions>},
    {"appliance.tftpTransfersCompleted", kAppliance, "TFTP transfers that ended well", "1", true,
     "the dataplane's counters", counted<Counter::tftp_transfers_completed>},
    {"appliance.tftpTransfersFailed", kAppliance, "TFTP transfers that did not", "1", true,
     "the dataplane's counters", counted<Counter::tftp_transfers_failed>},
    {"appliance.tftpBytes", kAppliance, "Bytes sent by TFTP", "byte", true, "the dataplane's counters",
     counted<Counter::tftp_data_bytes>},
    {"appliance.tftpRetransmissions", kAppliance, "TFTP blocks sent again", "1", true,
     "the dataplane's counters", counted<Counter::tftp_retransmissions>},
    {"appliance.httpTransfersCompleted", kAppliance, "Transfers of boot files by HTTP that ended well", "1",
     true, "the rack side's listener", of_appliance<&ApplianceFacts::http_complete>},
    {"appliance.httpTransfersFailed", kAppliance, "Transfers of boot files by HTTP that did not", "1", true,
     "the rack side's listener", of_appliance<&ApplianceFacts::http_failed>},
    {"appliance.httpBytes", kAppliance, "Bytes of boot files sent by HTTP", "byte", true,
     "the rack side's listener", of_appliance<&ApplianceFacts::http_bytes>},
    {"appliance.machines", kAppliance, "Registered machines", "1", false, "the store",
     of_appliance<&ApplianceFacts::machines>},
    {"appliance.strangers", kAppliance, "Machines that spoke and are not registered", "1", false, "the store",
     of_appliance<&ApplianceFacts::strangers>},
});

}  // namespace

std::span<const Measurement> measurements() noexcept {
    return kMeasurements;
}

const Measurement* find_measurement(std::string_view id) noexcept {
    const auto found = std::find_if(kMeasurements.begin(), kMeasurements.end(),
                                    [id](const auto& one) { return one.id == id; });
    return found == kMeasurements.end() ? nullptr : &*found;
}

std::string dictionary_id(const Cloud& cloud, MeasuredOf of) {
    return named_id(cloud.id,
                    "performance-dictionary/" + std::string(kMeasuredOf[static_cast<std::size_t>(of)]))
        .to_string();
}

json dictionary(const Cloud& cloud, MeasuredOf of) {
    json supported = json::array();
    for (const Measurement& one : kMeasurements) {
        if (one.of != of) continue;
        supported.push_back({{"performanceMeasurementDefinitionId", one.id},
                             {"performanceMeasurementId", one.id.substr(one.id.find('.') + 1)},
                             {"standardReference", "none"},
                             {"supportedInterfaces", {"O2IMS"}},
                             {"measurementDefinition",
                              {{"description", one.name},
                               {"unit", one.unit},
                               {"collectionMethod", one.is_counter ? "CC" : "SI"},
                               {"source", one.how}}}});
    }
    return {{"performanceDictionaryId", dictionary_id(cloud, of)},
            {"performanceDictionaryVersion", "1.0.0"},
            {"performanceDictionarySchemaVersion", "1.0.0"},
            {"vendorSoftwareProduct", "rouse"},
            {"supportedInterfaces", {"O2IMS"}},
            {"supportedMeasurements", std::move(supported)},
            {"extensions", {{"measuredOf", kMeasuredOf[static_cast<std::size_t>(of)]}}}};
}

}  // namespace rouse::o2ims
