// worker enrol and cluster hand-back: what only appliances that serve racks for others need.

#include "mgmt/cli/command.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

struct Enrolment {
    std::string worker;
    unsigned seconds = 3600;
};

OrFailure<void> enrol(Context& context, Session& session, const Enrolment& enrolment) {
    nlohmann::json body{{"valid_seconds", enrolment.seconds}};
    if (!enrolment.worker.empty()) body["worker_id"] = enrolment.worker;
    const auto made = session.post("/api/ims-worker/enrolments/", body);
    if (!made) return tl::unexpected(made.error());
    // The token alone: `rousectl worker enrol rack7 > enrolment` makes the file that the worker reads.
    context.print_done(*made, made->value("token", ""), made->value("token", ""));
    return {};
}

OrFailure<void> hand_back(Context& context, Session& session, const std::string& cluster) {
    const auto id = find_cluster(session, cluster);
    if (!id) return tl::unexpected(id.error());
    const auto done = session.post("/api/cluster/" + *id + "/hand_back/");
    if (!done) return tl::unexpected(done.error());
    context.print_done(*done, cluster + " is served by " + done->value("served_by", "") + " again");
    return {};
}

}  // namespace

void add_worker_enrolment(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("enrol", "Permit a worker to register, once; prints the token for it");
    command->footer(
        "The token goes into the file that the worker's worker.enrolment_token_file\n"
        "names. Shown this once.");
    const auto enrolment = std::make_shared<Enrolment>();
    command->add_option("WORKER", enrolment->worker, "the only worker that it is good for (default: any)");
    command->add_option("--valid-seconds", enrolment->seconds, "for how long it is good")
        ->capture_default_str();
    context.act_with_session(
        *command, [&context, enrolment](Session& session) { return enrol(context, session, *enrolment); });
}

void add_hand_back(CLI::App& group, Context& context) {
    auto* command =
        group.add_subcommand("hand-back", "Give a cluster back to its worker, from who took it over");
    const auto cluster = std::make_shared<std::string>();
    context.suggest(command->add_option("CLUSTER", *cluster, "its name or id")->required(), {{}, "cluster"});
    context.act_with_session(
        *command, [&context, cluster](Session& session) { return hand_back(context, session, *cluster); });
}

}  // namespace rouse::cli
