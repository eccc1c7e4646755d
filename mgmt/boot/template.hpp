#pragma once
// Texts with a machine's own data: "name={{hostname}} ip={{ip}}". Mustache syntax, sections included:
// "{{#cluster}}cluster={{cluster}}{{/cluster}}". Nothing is escaped.

#include "shared/result.hpp"

#include <string>
#include <string_view>

namespace rouse::boot {

// The values that a template may use; an empty one is false, so that a section around it disappears.
struct MachineValues {
    std::string hostname;
    std::string mac;         // aa:bb:cc:dd:ee:ff
    std::string mac_dashes;  // aa-bb-cc-dd-ee-ff
    std::string ip;          // 10.77.0.9
    std::string netmask;     // 255.255.0.0
    std::string gateway;     // empty: none
    std::string cluster;     // its name; empty: none
    std::string profile;     // its name
    std::string server;      // the appliance's address: 10.77.0.1
    std::string url;         // of the rack side's HTTP listener: http://10.77.0.1
    std::string token;       // one-time token
};

// Refuses what is no template, and names that no machine has.
[[nodiscard]] Result<void> check_template(std::string_view text);

// The text for one machine; an error as check_template() would give.
[[nodiscard]] Result<std::string> render_template(std::string_view text, const MachineValues& values);

// Whether the text comes out the same for all machines of one profile. It is a template.
[[nodiscard]] bool is_same_for_all(std::string_view text);

}  // namespace rouse::boot
