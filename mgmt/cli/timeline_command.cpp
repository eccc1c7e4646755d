#include "mgmt/cli/command.hpp"
#include "mgmt/cli/yaml.hpp"

#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct Options {
    std::string machine;
    bool follow = false;
    std::string until;
    unsigned timeout_seconds = 0;
};

constexpr std::chrono::seconds kWait{20};  // for the appliance to hold a request while nothing happens

class Reader {
  public:
    Reader(Context& context, Session& session, Options options)
        : context_(context), session_(session), options_(std::move(options)) {
        if (options_.timeout_seconds > 0)
            deadline_ = Clock::now() + std::chrono::seconds(options_.timeout_seconds);
    }

    OrFailure<void> run() {
        const auto id = find_machine(session_, options_.machine);
        if (!id) return tl::unexpected(id.error());
        path_ = "/api/machines/" + *id + "/timeline/";
        if (auto read = read_what_is_there(); !read) return read;
        if (!options_.follow) static_cast<void>(context_.print_data(all_));
        return options_.follow && !seen_ ? follow() : OrFailure<void>{};
    }

  private:
    OrFailure<void> read_what_is_there() {
        for (;;) {
            const auto page = fetch(std::chrono::seconds(0));
            if (!page) return tl::unexpected(page.error());
            if (page->empty() || seen_) return {};
        }
    }

    // A restart of the management plane is waited out: the timeline goes on after it.
    OrFailure<void> follow() {
        while (!seen_) {
            const auto left = std::chrono::ceil<std::chrono::seconds>(deadline_ - Clock::now());
            if (left.count() <= 0)
                return failure(ExitCode::failed, options_.until.empty()
                                                     ? "the time is over"
                                                     : options_.until + " has not happened in time");
            const auto asked = Clock::now();
            const auto page = fetch(std::min(kWait, left));
            if (!page && page.error().code != ExitCode::unreachable) return tl::unexpected(page.error());
            if (!page && !warned_)
                context_.console.err << "rousectl: " << page.error().message << "; trying on" << std::endl;
            warned_ = !page;
            const bool nothing = !page || page->empty();
            if (nothing && Clock::now() - asked < std::chrono::seconds(1))
                std::this_thread::sleep_for(std::chrono::milliseconds(500));
        }
        return {};
    }

    OrFailure<json> fetch(std::chrono::seconds wait) {
        std::string query = "?after=" + std::to_string(after_);
        if (wait.count() > 0) query += "&wait=" + std::to_string(wait.count());
        auto page = session_.get(path_ + query);
        if (!page) return page;
        for (const auto& entry : *page) {
            after_ = std::max(after_, entry.value("sequence", std::uint64_t{0}));
            show(entry);
            if (!options_.until.empty() && plain_text(entry, "event") == options_.until) seen_ = true;
        }
        context_.console.out << std::flush;
        return page;
    }

    void show(const json& entry) {
        if (context_.is_for_people())
            context_.console.out << plain_text(entry, "time") << "  " << plain_text(entry, "text") << '\n';
        else if (context_.format == Format::name)
            context_.console.out << plain_text(entry, "event") << '\n';
        else if (!options_.follow)
            all_.push_back(entry);
        else if (context_.format == Format::json)
            context_.console.out << entry.dump() << '\n';
        else
            context_.console.out << "---\n" << to_yaml(entry);
    }

    Context& context_;
    Session& session_;
    Options options_;
    std::string path_;
    std::uint64_t after_ = 0;
    Clock::time_point deadline_ = Clock::time_point::max();
    json all_ = json::array();
    bool seen_ = false;
    bool warned_ = false;
};

}  // namespace

void add_timeline(CLI::App& app, Context& context) {
    auto* command = app.add_subcommand("timeline", "Show what happened to a machine");
    const auto options = std::make_shared<Options>();
    context.suggest(
        command->add_option("MACHINE", options->machine, "hostname, MAC address, IP address or id")
            ->required(),
        {{}, "machine"});
    auto* follow = command->add_flag("-f,--follow", options->follow, "go on as it happens");
    command->add_option("--until", options->until, "stop after this event, such as agent_home")
        ->needs(follow);
    command->add_option("--timeout", options->timeout_seconds, "give up after so many seconds")
        ->needs(follow)
        ->default_str("");
    context.act_with_session(
        *command, [&context, options](Session& session) { return Reader(context, session, *options).run(); });
}

}  // namespace rouse::cli
