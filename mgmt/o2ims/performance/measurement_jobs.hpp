#pragma once
// Measurement jobs as documents: {"data": MeasurementJobRequest, "state", "_preinstalled"}. The functions
// that take a Batch are bodies of operations of the Writer.

#include "mgmt/o2ims/performance/collector.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/writer.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// DATA is a checked MeasurementJobRequest. A conflict when there are kMaxJobs.
[[nodiscard]] Outcome<store::Document> create_job(store::Batch& batch, nlohmann::json data);
// PATCH is a checked merge-patch of a MeasurementJobRequest. What follows from it is so at the next
// collection.
[[nodiscard]] Outcome<store::Document> change_job(store::Batch& batch, const std::string& id,
                                                  const nlohmann::json& patch);
// Suspends or resumes; nothing happens to a job that is so already.
[[nodiscard]] Outcome<store::Document> set_active(store::Batch& batch, const std::string& id, bool is_active);
// A conflict while it is active.
[[nodiscard]] Outcome<void> remove_job(store::Batch& batch, const std::string& id);

// Makes the jobs that every appliance has, one for servers and one for itself, if they are not there.
Result<void> install_jobs(store::Writer& writer);
[[nodiscard]] bool is_preinstalled(const store::Document& job);

// As the SMO sees it: MeasurementJob.
[[nodiscard]] nlohmann::json view_of(const store::Document& job, const Collector& collector);

}  // namespace rouse::o2ims
