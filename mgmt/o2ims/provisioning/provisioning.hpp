#pragma once
// The state machine of a provisioning request (O2IMS 1.6): what the machines of its servers do decides its
// phase. Pure: facts and time are arguments; provisioner.hpp stores what becomes of them.
//
//   PENDING -> PROGRESSING -> FULFILLED
//                  |  every server in time; a PUT begins anew from FULFILLED and FAILED
//                  +-----> FAILED: a server was late, or failed too often; the message says which, where and
//                  why
//   any -> DELETING -> gone

#include "mgmt/events/boot_stage.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::o2ims {

enum class Phase : std::uint8_t { pending, progressing, fulfilled, failed, deleting };
inline constexpr auto kPhases =
    std::to_array<std::string_view>({"PENDING", "PROGRESSING", "FULFILLED", "FAILED", "DELETING"});

enum class ServerPhase : std::uint8_t { processing, provisioned, awaiting_free_resources, failed };
inline constexpr auto kServerPhases =
    std::to_array<std::string_view>({"PROCESSING", "PROVISIONED", "AWAITING_FREE_RESOURCES", "FAILED"});

// How long a request may take, seconds from its acceptance; and how often each server may try.
struct Patience {
    std::uint64_t power_on_seconds = 1800;  // until each server is found and heard of
    std::uint64_t total_seconds = 7200;
    std::uint32_t boots = 3;
};

// What is known of the machine that stands for a server.
struct ServerFacts {
    std::string name;                                   // its host name
    std::string resource_id;                            // empty: none was found yet
    std::uint32_t boots = 0;                            // that began since the request was accepted
    events::BootStage stage = events::BootStage::idle;  // of the last of these
    std::string verdict;                                // of a boot that failed
};

struct ServerJudgement {
    ServerPhase phase = ServerPhase::processing;
    std::string text;  // "n1 waits to be powered on"
};

struct Judgement {
    Phase phase = Phase::progressing;
    std::string message;  // one sentence for a person
    std::vector<ServerJudgement> servers;
};

// ELAPSED: since the request was accepted.
[[nodiscard]] ServerJudgement judge(const ServerFacts& server, const Patience& patience,
                                    std::uint64_t elapsed_seconds);
[[nodiscard]] Judgement judge(const std::vector<ServerFacts>& servers, const Patience& patience,
                              std::uint64_t elapsed_seconds);

}  // namespace rouse::o2ims
