#pragma once
// A store with pools, profiles and machines, as an operator's requests would have made them.

#include "mgmt/boot/address_plan.hpp"
#include "mgmt/boot/boot_profile.hpp"
#include "mgmt/boot/catalogue.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/boot/pool.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

inline std::string mac_text(unsigned n) {
    return MacAddress{{2, 0, 0, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                       static_cast<std::uint8_t>(n)}}
        .to_string();
}

class BootTest : public StoreTest {
  protected:
    Appliance appliance_{*Ipv4Address::parse("10.77.0.1")};

    Outcome<Document> add_pool(json fields) {
        return writer_->run([&](Batch& batch) -> Outcome<Document> {
            json pool = fields;
            if (auto checked = check_pool(batch, pool, std::nullopt); !checked)
                return pass_on(checked.error());
            pool["_network"] = *batch.next_number("network");
            auto made = insert(batch, kIpPools, pool);
            if (!made) return made;
            if (auto projected = project_pool(batch, *made); !projected) return pass_on(projected.error());
            return made;
        });
    }
    Outcome<Document> add_profile(json fields) {
        return writer_->run([&](Batch& batch) -> Outcome<Document> {
            json profile = fields;
            if (auto checked = check_profile(profile); !checked) return pass_on(checked.error());
            profile["_profile"] = *batch.next_number("profile");
            auto made = insert(batch, kBootProfiles, profile);
            if (!made) return made;
            if (auto projected = project_profile(batch, *made); !projected) return pass_on(projected.error());
            return made;
        });
    }
    Outcome<Document> add_machine(json fields) {
        return writer_->run([&](Batch& batch) { return register_machine(batch, appliance_, fields); });
    }
    Outcome<Document> change(const Document& current, json fields) {
        return writer_->run([&](Batch& batch) { return change_machine(batch, appliance_, current, fields); });
    }
    Outcome<bool> drop_machine(Id id) {
        return writer_->run([&](Batch& batch) { return remove_machine(batch, id); });
    }
    json machine(unsigned n) { return {{"hostname", "node" + std::to_string(n)}, {"mac", mac_text(n)}}; }

    std::optional<HostRecord> host(const std::string& mac) {
        return *store_->snapshot()->record<HostRecord>(store_->tables().hosts,
                                                       bytes_of(*MacAddress::parse(mac)));
    }
    std::optional<LeaseRecord> lease(const std::string& ip) {
        return *store_->snapshot()->record<LeaseRecord>(store_->tables().leases,
                                                        bytes_of(*Ipv4Address::parse(ip)));
    }
    // The file that the machine would be served under this name; nothing: none.
    std::optional<std::string> file(const std::string& mac, const std::string& name) {
        const auto snapshot = store_->snapshot();
        const auto address = *MacAddress::parse(mac);
        const auto record = host(mac);
        if (!record) return std::nullopt;
        const auto found = resolve(*snapshot, address, *record, name).value();
        if (!found || found->kind == ContentKind::image) return std::nullopt;
        const auto text = read_text(*snapshot, *record, *found).value();
        EXPECT_TRUE(text && text->size() == found->size);
        return text;
    }
    // Its iPXE script; empty: none.
    std::string script(const std::string& mac) {
        return file(mac, std::string(kBootScriptName)).value_or("");
    }
    std::string token_in(const std::string& text) {
        const auto at = text.find("rouse.token=");
        return at == std::string::npos ? "" : text.substr(at + 12, 64);
    }
    std::size_t entries(Table table) { return *store_->snapshot()->txn().count(table); }
};

}  // namespace rouse::boot
