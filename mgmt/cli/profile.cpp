#include "mgmt/cli/profile.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse::cli {
namespace {

using nlohmann::json;

std::string path_in(const std::string& config_dir) {
    return config_dir + "/profile.json";
}

}  // namespace

OrFailure<std::optional<Profile>> load_profile(const std::string& config_dir) {
    const std::string path = path_in(config_dir);
    std::ifstream in(path);
    if (!in && !std::filesystem::exists(path)) return std::nullopt;
    const json saved = json::parse(in, nullptr, false);
    if (!saved.is_object())
        return failure(ExitCode::failed, "cannot read " + path + "; remove it and log in again");
    const auto member = [&saved](const char* name) {
        const auto found = saved.find(name);
        return found != saved.end() && found->is_string() ? found->get<std::string>() : "";
    };
    return Profile{member("url"), member("user"), member("access"), member("refresh"), member("ca")};
}

OrFailure<void> save_profile(const std::string& config_dir, const Profile& profile) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::create_directories(config_dir, error)) fs::permissions(config_dir, fs::perms::owner_all, error);
    const std::string path = path_in(config_dir);
    const std::string temporary = path + ".new";
    const std::string text = json{{"url", profile.url},
                                  {"user", profile.user},
                                  {"access", profile.access},
                                  {"refresh", profile.refresh},
                                  {"ca", profile.ca}}
                                 .dump(2) +
                             "\n";
    ::unlink(temporary.c_str());
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool saved = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) saved = ::close(file) == 0 && saved;
    if (!saved || ::rename(temporary.c_str(), path.c_str()) != 0)
        return failure(ExitCode::failed, "cannot save the login to " + path + ": " + std::strerror(errno));
    return {};
}

}  // namespace rouse::cli
