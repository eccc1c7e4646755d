// A list that is shown as it changes: drawn again on a terminal, told line by line elsewhere.

#include "mgmt/cli/command.hpp"
#include "mgmt/cli/yaml.hpp"

#include <chrono>
#include <ostream>
#include <thread>

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterval{1000};

class Watcher {
  public:
    Watcher(Context& context, const Watch& what) : context_(context), what_(what) {
        if (what.timeout_seconds > 0) deadline_ = Clock::now() + std::chrono::seconds(what.timeout_seconds);
        Column event{"EVENT", [this](const json&) { return std::string(event_); }};
        columns_.push_back(std::move(event));
        for (const auto& column : what.columns)
            if (!column.wide || context.format == Format::wide) columns_.push_back(column);
    }

    OrFailure<void> run() {
        for (bool first = true; first || Clock::now() < deadline_; first = false) {
            auto objects = what_.read();
            if (!objects && (first || objects.error().code != ExitCode::unreachable))
                return tl::unexpected(objects.error());
            if (!objects && !away_)
                context_.console.err << "rousectl: " << objects.error().message << "; trying on" << std::endl;
            away_ = !objects;
            if (objects && (first || *objects != seen_)) {
                show(*objects);
                seen_ = std::move(*objects);
            }
            std::this_thread::sleep_until(std::min(deadline_, Clock::now() + kInterval));
        }
        return {};
    }

  private:
    void show(const json& objects) {
        if (context_.console.out_is_terminal && context_.is_for_people()) {
            context_.console.out << "\x1b[H\x1b[2J";
            context_.print_list(what_.columns, objects);
        } else {
            const auto before = by_key(seen_);
            const auto now = by_key(objects);
            for (const auto& [key, object] : now) {
                const auto old = before.find(key);
                if (old == before.end())
                    tell("added", *object);
                else if (*old->second != *object)
                    tell("changed", *object);
            }
            for (const auto& [key, object] : before)
                if (!now.contains(key)) tell("deleted", *object);
        }
        context_.console.out << std::flush;
    }

    static std::map<std::string, const json*> by_key(const json& objects) {
        std::map<std::string, const json*> out;
        for (const auto& object : objects)
            for (const char* key : {"id", "name", "mac"})
                if (object.contains(key)) {
                    out[plain_text(object, key)] = &object;
                    break;
                }
        return out;
    }

    // For programs, a document of its own.
    void tell(const char* event, const json& object) {
        event_ = event;
        if (context_.format == Format::json)
            context_.console.out << json{{"event", event}, {"object", object}}.dump() << '\n';
        else if (context_.format == Format::yaml)
            context_.console.out << "---\n" << to_yaml({{"event", event}, {"object", object}});
        else if (context_.format == Format::name)
            context_.console.out << event << " " << what_.columns.front().text(object) << '\n';
        else
            tell_line(object);
    }

    void tell_line(const json& object) {
        const char* space = "";
        for (const auto& column : columns_) {
            context_.console.out << space << column.text(object);
            space = "  ";
        }
        context_.console.out << '\n';
    }

    Context& context_;
    const Watch& what_;
    std::vector<Column> columns_;
    Clock::time_point deadline_ = Clock::time_point::max();
    json seen_ = json::array();
    const char* event_ = "";
    bool away_ = false;
};

}  // namespace

OrFailure<void> watch(Context& context, const Watch& what) {
    return Watcher(context, what).run();
}

}  // namespace rouse::cli
