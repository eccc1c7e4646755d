// alarm list, show, acknowledge and clear: what is wrong with the appliance and its machines, as O2ims tells
// it.

#include "mgmt/cli/command.hpp"
#include "mgmt/http/uri.hpp"

#include <array>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

constexpr const char* kAlarms = "/o2ims-infrastructureMonitoring/v1/alarms";
constexpr const char* kId = "alarmEventRecordId";
constexpr const char* kSeverity = "perceivedSeverity";
// As they are numbered (O2ims, PerceivedSeverity).
constexpr std::array kSeverities{"critical", "major", "minor", "warning", "indeterminate", "cleared"};
constexpr std::size_t kCleared = kSeverities.size() - 1;

struct Asked {
    bool all = false;
    bool watch = false;
    unsigned timeout_seconds = 0;
};

std::string severity_of(const json& alarm) {
    const auto number = alarm.value(kSeverity, kSeverities.size());
    return number < kSeverities.size() ? kSeverities[number] : "unknown";
}

std::vector<Column> columns() {
    return {column("ID", kId),
            {.heading = "SEVERITY", .text = severity_of},
            column("RAISED", "alarmRaisedTime"),
            column("ALARM", "extensions.alarmName"),
            column("TEXT", "extensions.text"),
            column("SEEN TO", "alarmAcknowledged"),
            wide_column("CLEARED", "alarmClearedTime"),
            wide_column("OF", "extensions.objectClass"),
            wide_column("TO DO", "extensions.proposedRepairActions")};
}

std::string path_of(const std::string& id) {
    return std::string(kAlarms) + "/" + http::percent_encode(id);
}

OrFailure<void> list_alarms(Context& context, Session& session, const Asked& asked) {
    const std::string open = "?filter=" + http::percent_encode("(neq," + std::string(kSeverity) + "," +
                                                               std::to_string(kCleared) + ")");
    const auto read = [&session, path = kAlarms + (asked.all ? std::string() : open)] {
        return session.get_list(path);
    };
    if (asked.watch) return watch(context, {read, columns(), asked.timeout_seconds});
    const auto alarms = read();
    if (!alarms) return tl::unexpected(alarms.error());
    context.print_list(columns(), *alarms);
    return {};
}

OrFailure<void> show_alarm(Context& context, Session& session, const std::string& id) {
    auto alarm = session.get(path_of(id));
    if (!alarm) return tl::unexpected(alarm.error());
    if (!context.is_for_people()) {
        context.print_object(*alarm, id);
        return {};
    }
    json shown = alarm->value("extensions", json::object());
    shown["severity"] = severity_of(*alarm);
    for (const auto& [member, value] : alarm->items())
        if (member != "extensions" && member != kSeverity) shown[member] = value;
    context.print_object(shown, id, {"alarmName", "severity", "text", "proposedRepairActions"});
    return {};
}

// One after the other; those before one that fails stay done, and are told.
OrFailure<void> change_alarms(Context& context, Session& session, const std::vector<std::string>& ids,
                              const json& change, const std::string& what) {
    for (const auto& id : ids) {
        const auto changed = session.patch(path_of(id), change);
        if (!changed) return tl::unexpected(changed.error());
        context.print_done(*changed, what + " alarm " + id, id);
    }
    return {};
}

void add_change(CLI::App& group, Context& context, const char* name, const char* help, const json& change,
                const char* what) {
    auto* command = group.add_subcommand(name, help);
    const auto ids = std::make_shared<std::vector<std::string>>();
    command->add_option("ALARM", *ids, "their ids")->required();
    context.act_with_session(*command, [&context, ids, change, what](Session& session) {
        return change_alarms(context, session, *ids, change, what);
    });
}

}  // namespace

void add_alarms(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("alarm", "What is wrong with the appliance and its machines");
    group->require_subcommand(1);

    auto* list = group->add_subcommand("list", "List alarms");
    list->alias("ls");
    const auto asked = std::make_shared<Asked>();
    list->add_flag("-a,--all", asked->all, "those that were cleared, too");
    auto* watching = list->add_flag("-w,--watch", asked->watch, "show it again as it changes");
    list->add_option("--timeout", asked->timeout_seconds, "watch for so many seconds")
        ->needs(watching)
        ->default_str("");
    context.act_with_session(
        *list, [&context, asked](Session& session) { return list_alarms(context, session, *asked); });

    auto* show = group->add_subcommand("show", "Show all that is known of an alarm");
    show->alias("get");
    const auto id = std::make_shared<std::string>();
    show->add_option("ALARM", *id, "its id")->required();
    context.act_with_session(*show,
                             [&context, id](Session& session) { return show_alarm(context, session, *id); });

    add_change(*group, context, "acknowledge", "Say that somebody sees to alarms",
               {{"alarmAcknowledged", true}}, "acknowledged");
    add_change(*group, context, "clear", "Clear alarms by hand: those that do not clear by themselves",
               {{kSeverity, kCleared}}, "cleared");
}

}  // namespace rouse::cli
