#pragma once
// Everything that can be measured, in one table: performance dictionaries, measurement jobs, their results
// and the documentation (docs/o2ims.md) are made of it. A new measurement is a new row.

#include "mgmt/events/boot_record.hpp"
#include "mgmt/o2ims/cloud.hpp"
#include "shared/counters.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

enum class MeasuredOf : std::uint8_t { server, appliance };
inline constexpr auto kMeasuredOf = std::to_array<std::string_view>({"server", "appliance"});

// The appliance, as it is at one time. All counts but those said otherwise only ever grow.
struct ApplianceFacts {
    bool has_dataplane = false;  // one has run since the machine started; else the next three mean nothing
    std::array<std::uint64_t, kCounters.size()> counters{};  // of all workers together
    std::uint64_t drops = 0;                                 // frames
    std::uint64_t tftp_sessions = 0;                         // open now
    std::uint64_t http_complete = 0;
    std::uint64_t http_failed = 0;
    std::uint64_t http_bytes = 0;
    std::uint64_t machines = 0;   // registered now
    std::uint64_t strangers = 0;  // known now
};

// What one resource's measurements are read from; null: that is not known of it. Not owned.
struct Facts {
    const nlohmann::json* load = nullptr;  // a machine's resource-metrics document
    const events::BootRecord* boot = nullptr;
    const ApplianceFacts* appliance = nullptr;
};

struct Measurement {
    std::string_view id;  // performanceMeasurementDefinitionId; never changed
    MeasuredOf of;
    std::string_view name;  // for people
    std::string_view unit;
    bool is_counter;       // grows until what counts it starts anew; else a gauge
    std::string_view how;  // how it is read, for the documentation
    std::optional<double> (*read)(const Facts& facts);  // nothing: it is not known now
};

[[nodiscard]] std::span<const Measurement> measurements() noexcept;
[[nodiscard]] const Measurement* find_measurement(std::string_view id) noexcept;

// The dictionary of each sort of resource, by its id.
[[nodiscard]] std::string dictionary_id(const Cloud& cloud, MeasuredOf of);
// PerformanceDictionary (O2IMS 1.4).
[[nodiscard]] nlohmann::json dictionary(const Cloud& cloud, MeasuredOf of);

}  // namespace rouse::o2ims
