#include "mgmt/workers/follower.hpp"

#include "mgmt/boot/lease_book.hpp"
#include "mgmt/events/reported.hpp"
#include "mgmt/http/scoped_netns.hpp"
#include "mgmt/workers/assignment.hpp"
#include "mgmt/workers/image_fetch.hpp"
#include "shared/clock.hpp"

#include <algorithm>
#include <fstream>

#include <spdlog/spdlog.h>

namespace rouse::workers {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using namespace std::chrono_literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr auto kRetry = 1s;    // after something went wrong
constexpr auto kTurn = 500ms;  // between looks at what is to be told
constexpr unsigned kPollSeconds = 25;
constexpr unsigned kDocuments = 500;  // of one answer, and so of one commit
constexpr std::size_t kMachinesAtOnce = 50;

std::string read_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::string query_of(const Following& following, std::uint64_t after, bool is_walk) {
    return "changes/?wait=" + std::to_string(is_walk ? 0 : kPollSeconds) +
           "&limit=" + std::to_string(kDocuments) + "&after=" + std::to_string(after) +
           "&epoch=" + following.epoch + "&mark=" + following.mark + (is_walk ? "&walk=true" : "");
}

// The lease of a machine's address, as IMS.md says it; null: it has none here.
Result<json> lease_of(const View& view, Id machine) {
    const auto document = find(view, kMachines, machine);
    if (!document) return tl::unexpected(document.error());
    if (!*document) return json();
    const auto address = Ipv4Address::parse((*document)->text("ip"));
    const auto lease = address ? boot::find_lease(view, *address) : Result<std::optional<LeaseRecord>>{};
    if (!lease) return tl::unexpected(lease.error());
    if (!*lease || (*lease)->started_unix == 0) return json();
    const be32 key((*lease)->network);
    const auto network = view.record<NetworkRecord>(view.tables().networks, bytes_of(key));
    if (!network) return tl::unexpected(network.error());
    json out{{"ip_address", address->to_string()},
             {"mac_address", (*lease)->mac.to_string()},
             {"hostname", (*document)->text("hostname")},
             {"lease_start", to_timestamp((*lease)->started_unix * kNanosPerSecond)},
             {"lease_end", to_timestamp((*lease)->promised_unix * kNanosPerSecond)}};
    if (*network) out["cidr"] = (*network)->prefix.to_string();
    if (*network && !(*network)->gateway.is_zero()) out["gateway"] = (*network)->gateway.to_string();
    return out;
}

bool tells_of_a_lease(const ordered_json& machine) {
    const auto& entries = machine.at("entries");
    return std::any_of(entries.begin(), entries.end(),
                       [](const ordered_json& entry) { return entry.at("event") == "dhcp_ack"; });
}

}  // namespace

Follower::Follower(FollowerOptions options, Writer& writer, const boot::Catalogue& catalogue,
                   const boot::Appliance& appliance, events::Consumer& consumer)
    : options_(std::move(options)),
      writer_(&writer),
      catalogue_(&catalogue),
      appliance_(&appliance),
      consumer_(&consumer) {}

Follower::~Follower() {
    stop();
    for (auto& thread : threads_) thread.join();
}

void Follower::start() {
    for (const Step step : {&Follower::beat, &Follower::follow, &Follower::fetch})
        threads_.emplace_back([this, step] { run(step); });
}

void Follower::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
}

void Follower::run(Step step) {
    const auto where = http::ScopedNetns::enter(options_.netns);
    if (!where) {
        spdlog::critical("the centre cannot be followed: {}", where.error().message);
        return;
    }
    CentreLink link(options_.centre, stopping_);
    while (!stopping_) {
        const auto pause = (this->*step)(link);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, pause, [this] { return stopping_.load(); });
    }
}

Following Follower::following() const {
    const auto snapshot = writer_->store().snapshot();
    auto known = snapshot ? read_following(*snapshot) : Result<Following>(Following{});
    if (!known) spdlog::error("{}", known.error().message);
    return known ? std::move(*known) : Following{};
}

bool Follower::heard(const Result<CentreAnswer>& answer, const char* of_what) {
    if (stopping_) return false;
    const bool well = answer && answer->is_success();
    const std::string trouble = well     ? ""
                                : answer ? "it answered " + answer->trouble()
                                         : answer.error().message;
    const std::lock_guard lock(mutex_);
    if (answer) statistics_.contact_unix = realtime_ns() / kNanosPerSecond;
    if (!well && trouble_.empty())
        spdlog::warn("the centre {} is not there for {}: {}; serving on with what is known",
                     options_.centre.url, of_what, trouble);
    if (well && !trouble_.empty()) spdlog::info("the centre {} is back", options_.centre.url);
    trouble_ = trouble;
    return well;
}

void Follower::forget_token() {
    const auto forgotten = writer_->run([](Batch& batch) -> Result<void> {
        auto known = read_following(batch);
        if (!known) return tl::unexpected(known.error());
        known->token.clear();
        return write_following(batch, *known);
    });
    if (!forgotten) spdlog::error("{}", forgotten.error().message);
}

// -- the beat
// -------------------------------------------------------------------------------------------------

bool Follower::enrol(CentreLink& link, const std::string& address) {
    const Following known = following();
    json body{{"worker_id", appliance_->id()}, {"ip_address", address}, {"rack_address", address}};
    if (known.token.empty() && !options_.enrolment_token_file.empty())
        body["enrolment_token"] = read_line(options_.enrolment_token_file);
    const auto answer = link.post(known.token, "/api/ims-worker/register/", body);
    if (answer && answer->status == 401 && !known.token.empty()) forget_token();
    if (!heard(answer, "registering")) return false;
    const std::string token = answer->body.value("token", std::string());
    const std::string fresh = Id::make().to_string();
    const auto stored = writer_->run([&](Batch& batch) -> Result<void> {
        auto now = read_following(batch);
        if (!now) return tl::unexpected(now.error());
        now->token = token;
        now->address = address;
        if (now->instance.empty()) now->instance = fresh;
        return write_following(batch, *now);
    });
    if (!stored) spdlog::error("{}", stored.error().message);
    if (stored) spdlog::info("registered at {} as worker {}", options_.centre.url, appliance_->id());
    return stored.has_value();
}

std::chrono::milliseconds Follower::beat(CentreLink& link) {
    // Not known while the rack's interface has no address.
    const std::string address = appliance_->address().is_zero() ? "" : appliance_->address().to_string();
    Following known = following();
    if (known.token.empty() || (!address.empty() && address != known.address)) {
        if (address.empty() || !enrol(link, address)) return kRetry;
        known = following();
    }
    if (const std::uint64_t now = monotonic_ns(); now >= next_beat_ns_) {
        json body = options_.state();
        body["worker_id"] = appliance_->id();
        body["metrics"]["images_wanted"] = statistics_.images_wanted.load();
        body["metrics"]["sequence"] = statistics_.sequence.load();
        const auto answer = link.post(known.token, "/api/ims-worker/heartbeat/", body);
        if (answer && answer->status == 401) forget_token();
        if (!heard(answer, "a heartbeat")) return kRetry;
        // On time even when the centre was slow; not several at once after it was away.
        next_beat_ns_ = std::max(next_beat_ns_, now - kBeatNs / 2) + kBeatNs;
        tell_error(link, known);
    }
    if (tell_timelines(link, known)) return 0ms;  // there may be more
    return kTurn;
}

// True: something was told.
bool Follower::tell_timelines(CentreLink& link, const Following& following) {
    std::vector<ordered_json> machines;
    {
        const auto snapshot = writer_->store().snapshot();
        if (!snapshot) return false;
        auto found = events::untold(*snapshot, consumer_->tables(), kMachinesAtOnce);
        if (!found) {
            note_error(found.error().message);
            return false;
        }
        machines = std::move(*found);
    }
    if (machines.empty()) return false;
    if (!tell_leases(link, following, machines)) return false;
    json body{{"worker_id", appliance_->id()}, {"instance", following.instance}, {"machines", machines}};
    if (!heard(link.post(following.token, "/api/ims-worker/report_timelines/", body), "a report"))
        return false;
    for (const auto& machine : machines) statistics_.reported += machine.at("entries").size();
    const auto noted =
        writer_->run([&](Batch& batch) { return events::note_told(batch, consumer_->tables(), machines); });
    if (!noted) note_error(noted.error().message);
    return noted.has_value();
}

bool Follower::tell_leases(CentreLink& link, const Following& following,
                           const std::vector<ordered_json>& machines) {
    for (const auto& machine : machines) {
        if (!tells_of_a_lease(machine)) continue;
        Result<json> lease = json();
        {
            const auto snapshot = writer_->store().snapshot();
            if (!snapshot) return false;
            lease = lease_of(*snapshot, *Id::parse(machine.at("machine").get_ref<const std::string&>()));
        }
        if (!lease) note_error(lease.error().message);
        if (!lease || lease->is_null()) continue;
        const json body{{"worker_id", appliance_->id()}, {"lease", std::move(*lease)}};
        if (!heard(link.post(following.token, "/api/ims-worker/report_lease/", body), "a report"))
            return false;
    }
    return true;
}

void Follower::note_error(const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (message != error_) spdlog::error("{}", message);
    error_ = message;
}

// Each once, though it may occur again and again.
void Follower::tell_error(CentreLink& link, const Following& following) {
    std::string message;
    {
        const std::lock_guard lock(mutex_);
        if (error_ == reported_error_) return;
        message = error_;
    }
    const json body{{"worker_id", appliance_->id()}, {"error", {{"message", message}}}};
    if (!heard(link.post(following.token, "/api/ims-worker/report_error/", body), "a report")) return;
    const std::lock_guard lock(mutex_);
    reported_error_ = message;
}

// -- following
// ------------------------------------------------------------------------------------------------

std::chrono::milliseconds Follower::follow(CentreLink& link) {
    const Following known = following();
    if (known.token.empty()) return kTurn;
    const bool is_walk = walked_ != 0;
    const std::uint64_t asked_unix = realtime_ns() / kNanosPerSecond;
    const auto answer = link.get(known.token,
                                 "/api/ims-worker/" + appliance_->id() + "/" +
                                     query_of(known, is_walk ? walked_ : known.sequence, is_walk),
                                 kPollSeconds + 10);
    if (!heard(answer, "news")) return kRetry;
    const json& news = answer->body;
    Outcome<void> applied = refuse(Failure::Kind::invalid, "the centre's answer is not understood");
    Seen seen = is_walk ? seen_ : Seen{};
    try {
        if (is_walk || news.at("complete").get<bool>()) note_seen(news, seen);
        const std::uint64_t tenure = asked_unix + news.at("tenure_seconds").get<std::uint64_t>();
        applied = writer_->run(
            [&](Batch& batch) { return apply_answer(batch, *appliance_, *catalogue_, news, seen, tenure); });
    } catch (const json::exception& error) {
        applied = refuse(Failure::Kind::invalid,
                         std::string("the centre's answer is not understood: ") + error.what());
    }
    if (!applied) {
        note_error("what the centre says cannot be followed: " + applied.error().message);
        seen_.clear();
        walked_ = 0;
        return kRetry;
    }
    const bool walks_on = news.at("more").get<bool>() && (is_walk || news.at("complete").get<bool>());
    walked_ = walks_on ? news.at("sequence").get<std::uint64_t>() : 0;
    seen_ = walks_on ? std::move(seen) : Seen{};
    statistics_.sequence = news.at("sequence").get<std::uint64_t>();
    return 0ms;
}

std::chrono::milliseconds Follower::fetch(CentreLink& link) {
    const Following known = following();
    std::vector<Document> wanted;
    {
        const auto snapshot = writer_->store().snapshot();
        if (!snapshot) return kRetry;
        auto found = wanted_images(*snapshot);
        if (!found) {
            note_error(found.error().message);
            return kRetry;
        }
        wanted = std::move(*found);
    }
    const bool had_some = statistics_.images_wanted.exchange(wanted.size()) != 0;
    if (wanted.empty() && had_some) remove_parts(*catalogue_);
    if (wanted.empty() || known.token.empty()) return kTurn;
    const Document& image = wanted.front();
    const auto fetched = fetch_image(link, known.token, "/api/ims-worker/" + appliance_->id() + "/contents/",
                                     *catalogue_, image);
    if (stopping_) return 0ms;
    if (!fetched) {
        note_error("the image " + image.text("name") + " cannot be fetched: " + fetched.error().message);
        return kRetry;
    }
    const auto named = writer_->run([&](Batch& batch) { return have_image(batch, *catalogue_, image); });
    if (!named) note_error("the image " + image.text("name") + " cannot be named: " + named.error().message);
    return named ? 0ms : std::chrono::milliseconds(kRetry);
}

}  // namespace rouse::workers
