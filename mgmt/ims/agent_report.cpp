#include "mgmt/boot/boot_token.hpp"
#include "mgmt/boot/machine.hpp"
#include "mgmt/boot/rack_client.hpp"
#include "mgmt/events/recorder.hpp"
#include "mgmt/events/text.hpp"
#include "mgmt/http/json_body.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/observation.hpp"
#include "mgmt/store/documents.hpp"
#include "shared/clock.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rouse::ims {
namespace {

using http::Status;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxReportBytes = 256 * 1024;
constexpr std::int64_t kMaxBytes = INT64_MAX;
constexpr std::int64_t kMaxSeconds = 10'000'000'000;  // 300 years

http::Field text(std::string name, std::string description) {
    return http::string(std::move(name), std::move(description)).length(0, 256);
}

// Tolerant all: an appliance must understand the agent of a newer ramdisk.
const http::Schema kCpu = http::Schema("Cpu", "The processors",
                                       {
                                           text("model", "as it calls itself"),
                                           http::integer("cores", "logical cores").range(0, 1'000'000),
                                           text("architecture", "as the kernel calls it"),
                                       })
                              .tolerant();
const http::Schema kDisk = http::Schema("Disk", "A disk",
                                        {
                                            text("name", "of its device"),
                                            http::integer("size_bytes", "its size").range(0, kMaxBytes),
                                            text("model", "as it calls itself"),
                                            http::boolean("rotational", "whether it turns"),
                                        })
                               .tolerant();
const http::Schema kInterface =
    http::Schema("Interface", "A network interface",
                 {
                     text("name", "of the interface"),
                     text("mac", "its hardware address"),
                     text("driver", "its kernel driver"),
                     http::integer("speed_mbps", "of its link").range(0, kMaxBytes),
                 })
        .tolerant();
const http::Schema kFirmware = http::Schema("Firmware", "What the firmware says of the machine",
                                            {
                                                text("vendor", "of the firmware"),
                                                text("version", "of the firmware"),
                                                text("product", "the machine's model"),
                                                text("serial", "the machine's serial number"),
                                                text("uuid", "the machine's SMBIOS UUID"),
                                            })
                                   .tolerant();
const http::Schema kAgentReport =
    http::Schema(
        "AgentReport", "What the ramdisk's agent found; all but the stage may be missing",
        {
            http::choice("stage", "kernel-up: the kernel runs; home: all is known", {"kernel-up", "home"})
                .required(),
            http::number("uptime_seconds", "of the kernel").range(0, kMaxSeconds),
            text("kernel", "its release"),
            text("hostname", "as the machine calls itself"),
            http::object("cpu", "the processors", kCpu),
            http::integer("memory_bytes", "that the kernel has").range(0, kMaxBytes),
            http::array(http::object("disks", "its disks", kDisk)).items(0, 1024),
            http::array(http::object("interfaces", "its network interfaces", kInterface)).items(0, 1024),
            http::object("firmware", "what the firmware says", kFirmware),
            text("boot_mode", "bios or uefi"),
        })
        .tolerant();

// Firmware's strings may hold any byte; one of them must not keep a machine from coming home.
void blank_control_characters(json& value) {
    if (value.is_string()) {
        auto& string = value.get_ref<std::string&>();
        std::replace_if(
            string.begin(), string.end(),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    } else if (value.is_structured()) {
        for (auto& element : value) blank_control_characters(element);
    }
}

http::Problem token_problem(const Failure& failure) {
    switch (failure.kind) {
        case Failure::Kind::gone:
            return {Status::gone, failure.message, {}, {}};
        case Failure::Kind::not_found: {
            http::Problem out{Status::unauthorized, failure.message, {}, {}};
            out.headers.add("WWW-Authenticate", "Bearer realm=\"rouse\", error=\"invalid_token\"");
            return out;
        }
        default:
            return {Status::insufficient_storage, failure.message, {}, {}};
    }
}

http::OrProblem<std::string> token_of(const http::Request& request) {
    constexpr std::string_view kScheme = "Bearer ";
    const auto header = request.headers.get("Authorization");
    if (header.size() <= kScheme.size() ||
        !http::equal_ignoring_case(header.substr(0, kScheme.size()), kScheme)) {
        http::Problem out{Status::unauthorized,
                          "this needs the token of the machine's boot, the one after rouse.token= on its "
                          "kernel command line, as \"Authorization: Bearer <token>\"",
                          {},
                          {}};
        out.headers.add("WWW-Authenticate", "Bearer realm=\"rouse\"");
        return tl::unexpected(std::move(out));
    }
    return std::string(header.substr(kScheme.size()));
}

std::string uptime_of(const json& report) {
    if (!report.contains("uptime_seconds")) return {};
    const double nanos = report["uptime_seconds"].get<double>() * static_cast<double>(kNanosPerSecond);
    return ", up " + events::human_duration(static_cast<std::uint64_t>(nanos));
}

std::string text_of(const json& object, const char* field) {
    return object.is_object() && object.contains(field) ? object[field].get<std::string>() : std::string();
}

// "4 cores Intel …, 16.8 GB memory, 2 disks, 1 network interface": what there is of it.
std::string hardware_summary(const json& report) {
    std::vector<std::string> parts;
    const auto several = [](std::size_t n, const std::string& what) {
        return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
    };
    if (const json cpu = report.value("cpu", json::object()); cpu.contains("cores"))
        parts.push_back(several(cpu["cores"].get<std::size_t>(), "core") +
                        (text_of(cpu, "model").empty() ? "" : " " + text_of(cpu, "model")));
    if (report.contains("memory_bytes"))
        parts.push_back(events::human_bytes(report["memory_bytes"].get<std::uint64_t>()) + " memory");
    if (report.contains("disks")) parts.push_back(several(report["disks"].size(), "disk"));
    if (report.contains("interfaces"))
        parts.push_back(several(report["interfaces"].size(), "network interface"));
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? ": " : ", ") + part;
    return out;
}

events::AgentNews news_of(const store::Id& machine, const json& report) {
    events::AgentNews news;
    news.machine = machine;
    for (const char* field : {"uptime_seconds", "kernel", "hostname", "boot_mode"})
        if (report.contains(field)) news.details[field] = report[field];
    const std::string kernel = text_of(report, "kernel");
    const std::string named = kernel.empty() ? "kernel" : "kernel " + kernel;
    if (report["stage"] == "kernel-up") {
        news.trigger = events::BootTrigger::kernel_report;
        news.text = named + " runs" + uptime_of(report);
        return news;
    }
    news.trigger = events::BootTrigger::home_report;
    news.text = "agent home (" + named + uptime_of(report) + ")" + hardware_summary(report);
    news.hardware = report;
    news.hardware.erase("stage");
    news.hardware.erase("uptime_seconds");
    return news;
}

// The token is good, and shown by its own machine.
http::OrProblem<void> check_token(const Observation& observation, const std::string& token,
                                  const IpAddress& peer) {
    const auto snapshot = observation.writer.store().snapshot();
    if (!snapshot) return tl::unexpected(token_problem(Failure(snapshot.error())));
    const auto machine = boot::machine_of_token(*snapshot, token, realtime_ns() / kNanosPerSecond);
    if (!machine) return tl::unexpected(token_problem(machine.error()));
    const auto client = boot::find_rack_client(*snapshot, observation.neighbours, peer);
    if (!client) return tl::unexpected(token_problem(Failure(client.error())));
    if (!*client || (*client)->mac.to_string() != machine->text("mac"))
        return tl::unexpected(
            http::Problem{Status::forbidden,
                          "this token is another machine's: it is good from that machine's address alone",
                          {},
                          {}});
    return {};
}

boost::asio::awaitable<http::Outcome> post_report(const Observation& observation, http::Request& request) {
    const auto token = token_of(request);
    if (!token) co_return tl::unexpected(token.error());
    // Before the body: who has no token learns nothing, and costs nothing.
    if (const auto good = check_token(observation, *token, request.peer); !good)
        co_return tl::unexpected(good.error());
    auto body = co_await http::read_json(request, kMaxReportBytes);
    if (!body) co_return tl::unexpected(body.error());
    blank_control_characters(*body);
    const auto report = kAgentReport.accept(*body);
    if (!report) co_return tl::unexpected(report.error());

    const auto touched =
        co_await observation.writer.submit([&observation, &token = *token, &report = *report](
                                               store::Batch& batch) -> Outcome<events::TouchedMachines> {
            const bool home = report["stage"] == "home";
            const auto machine = home ? boot::spend_token(batch, observation.appliance, token)
                                      : boot::machine_of_token(batch, token, batch.now_unix());
            if (!machine) return tl::unexpected(machine.error());
            return events::apply_agent_news(batch, observation.consumer.tables(),
                                            news_of(machine->id, report));
        });
    if (!touched) co_return tl::unexpected(token_problem(touched.error()));
    for (const auto& machine : *touched)
        observation.consumer.waiters().publish(machine.machine, machine.last_sequence);
    co_return http::Response::no_content();
}

}  // namespace

void add_agent_report(http::Router& router, const Observation& observation) {
    router.add(
        {.method = http::Method::post,
         .pattern = "/agent/report",
         .access = http::Access::anyone(),  // the boot's own token is checked by the handler
         .tag = "Agent",
         .summary = "A ramdisk's agent says how far it is and, once home, what the machine is made of",
         .body = http::BodyKind::stream,
         .request = &kAgentReport,
         .success = Status::no_content},
        http::Handler([observation](http::Request& request) { return post_report(observation, request); }));
}

}  // namespace rouse::ims
