#include "mgmt/cli/config.hpp"

#include "mgmt/cli/yaml.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

namespace rouse::cli {
namespace {

using nlohmann::json;

// The one list of what a context is in the file.
template <typename Context, typename Visit>
void for_each_member(Context& context, const Visit& visit) {
    visit("url", context.url);
    visit("user", context.user);
    visit("ca", context.tls.ca);
    visit("certificate", context.tls.certificate);
    visit("key", context.tls.key);
    visit("access", context.access);
    visit("refresh", context.refresh);
}

std::string text_of(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json to_json(const Config& config) {
    json contexts = json::object();
    for (const auto& [name, context] : config.contexts) {
        json& saved = contexts[name] = json::object();
        for_each_member(context, [&saved](const char* member, const std::string& value) {
            if (!value.empty()) saved[member] = value;
        });
    }
    return {{"current", config.current}, {"contexts", contexts}};
}

Config from_json(const json& saved) {
    Config config{.current = text_of(saved, "current")};
    const auto contexts = saved.find("contexts");
    if (contexts == saved.end() || !contexts->is_object()) return config;
    for (const auto& [name, members] : contexts->items())
        for_each_member(config.contexts[name], [&members = members](const char* member, std::string& value) {
            value = text_of(members, member);
        });
    return config;
}

OrFailure<void> save(const std::string& path, const Config& config) {
    const std::string temporary = path + ".new";
    const std::string text = to_yaml(to_json(config));
    ::unlink(temporary.c_str());
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool saved = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) saved = ::close(file) == 0 && saved;
    if (!saved || ::rename(temporary.c_str(), path.c_str()) != 0)
        return failure(ExitCode::failed, "cannot save " + path + ": " + std::strerror(errno));
    return {};
}

}  // namespace

const SavedContext* Config::find(const std::string& name) const {
    const auto found = contexts.find(name);
    return found == contexts.end() ? nullptr : &found->second;
}

OrFailure<Config> load_config(const std::string& directory) {
    const std::string path = directory + "/config";
    std::ifstream in(path);
    if (!in) {
        if (!std::filesystem::exists(path)) return Config{};
        return failure(ExitCode::failed, "cannot read " + path + ": " + std::strerror(errno));
    }
    const auto documents = from_yaml(std::string(std::istreambuf_iterator<char>(in), {}));
    if (!documents || documents->size() != 1 || !documents->front().is_object())
        return failure(ExitCode::failed, "cannot understand " + path + "; remove it and log in again");
    return from_json(documents->front());
}

OrFailure<void> change_config(const std::string& directory,
                              const std::function<OrFailure<void>(Config&)>& change) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::create_directories(directory, error)) fs::permissions(directory, fs::perms::owner_all, error);
    const std::string lock_path = directory + "/config.lock";
    const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || ::flock(lock, LOCK_EX) != 0) {
        const std::string why = std::strerror(errno);
        if (lock >= 0) ::close(lock);
        return failure(ExitCode::failed, "cannot lock " + lock_path + ": " + why);
    }
    auto config = load_config(directory);
    OrFailure<void> result;
    if (!config) result = tl::unexpected(config.error());
    if (result) result = change(*config);
    if (result) result = save(directory + "/config", *config);
    ::close(lock);
    return result;
}

}  // namespace rouse::cli
