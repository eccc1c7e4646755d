#pragma once
// Provisioning requests as documents, and the machines that stand for their servers: found, reserved or
// registered when a request is accepted, followed until they are done, released when it is deleted. Every
// function that takes a Batch is the body of an operation of the Writer: all of it is in one commit or
// nothing is, so that a crash leaves every request where it was, and it goes on from there.

#include "mgmt/ims/services.hpp"
#include "mgmt/o2ims/inventory/inventory.hpp"
#include "mgmt/o2ims/provisioning/provisioning.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// A request's document: "request_id" (the SMO's), "data" (ProvisioningRequestData), "parameters" (checked,
// with defaults), "phase", "message", "update_time", "servers": [{"name", "mac", "machine", "made",
// "boots_before", "phase"}],
// "_accepted_ns".
class Provisioner {
  public:
    // Both outlive this.
    Provisioner(const ims::Services& services, Inventory& inventory)
        : services_(services), inventory_(&inventory) {}

    // What cannot be looked up inside an operation: PARAMETERS with the hardware address of each resource
    // that they name. Refuses unknown ones.
    [[nodiscard]] Outcome<nlohmann::json> resolve(nlohmann::json parameters) const;

    // DATA is a checked ProvisioningRequestData, PARAMETERS are resolved. A template that is not there, and
    // an id that is taken, are refused.
    [[nodiscard]] Outcome<store::Document> accept(store::Batch& batch, const nlohmann::json& data,
                                                  const nlohmann::json& parameters) const;
    // Begins anew with other data: servers of the same name keep their machines, those that are named no more
    // are released.
    [[nodiscard]] Outcome<store::Document> replace(store::Batch& batch, store::Document request,
                                                   const nlohmann::json& data,
                                                   const nlohmann::json& parameters) const;
    [[nodiscard]] Outcome<store::Document> begin_deletion(store::Batch& batch, store::Document request) const;

    // Whether advance() would change anything now.
    [[nodiscard]] Result<bool> is_due(const store::View& view, const store::Document& request,
                                      std::uint64_t now_ns) const;
    // Moves a request on: gives its servers machines, follows these, releases them.
    [[nodiscard]] Outcome<void> advance(store::Batch& batch, const store::Id& id) const;
    // The requests that it would change.
    [[nodiscard]] Result<std::vector<store::Id>> due_requests(const store::View& view,
                                                              std::uint64_t now_ns) const;

    // As the SMO sees it: ProvisioningRequestInfo.
    [[nodiscard]] nlohmann::json view_of(const store::Document& request) const;

  private:
    using json = nlohmann::json;

    [[nodiscard]] Outcome<void> check_template(const store::View& view, const json& data) const;
    [[nodiscard]] Result<ServerFacts> facts_of(const store::View& view, const json& server) const;
    [[nodiscard]] Result<Judgement> judge_now(const store::View& view, const store::Document& request,
                                              std::uint64_t now_ns) const;
    [[nodiscard]] Outcome<void> assign(store::Batch& batch, const store::Document& request, json& server,
                                       const json& wanted) const;
    [[nodiscard]] Outcome<void> forget_deleted(const store::View& view, json& server,
                                               const json& wanted) const;
    [[nodiscard]] Outcome<std::string> find_free(const store::View& view) const;
    [[nodiscard]] Outcome<void> release(store::Batch& batch, const json& server) const;
    [[nodiscard]] Outcome<void> progress(store::Batch& batch, store::Document request) const;
    [[nodiscard]] Outcome<void> finish_deletion(store::Batch& batch, const store::Document& request) const;

    ims::Services services_;
    Inventory* inventory_;
};

}  // namespace rouse::o2ims
