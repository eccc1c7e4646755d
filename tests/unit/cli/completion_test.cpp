// Completion: what rousectl offers, and what real shells make of it. Help and docs/rousectl.md.

#include "mgmt/cli/command.hpp"
#include "tests/unit/cli/fake_appliance.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rouse::cli {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

// A shell that somebody types at.
class Shell {
  public:
    // ENVIRONMENT: "NAME=value".
    Shell(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
        winsize size{.ws_row = 24, .ws_col = 200};
        process_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
        if (process_ != 0) return;
        for (const auto& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
        std::vector<char*> arguments;
        for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;
    ~Shell() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        ::close(terminal_);
    }
    void type(const std::string& keys) {
        ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    }
    // Reads until TEXT has come since the last call, half a minute at most; what has come.
    std::string wait_for(const std::string& text) {
        std::string seen;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (seen.find(text) == seen.npos && std::chrono::steady_clock::now() < end) {
            pollfd ready{terminal_, POLLIN, 0};
            if (::poll(&ready, 1, 100) <= 0) continue;
            std::array<char, 4096> buffer;
            const auto n = ::read(terminal_, buffer.data(), buffer.size());
            if (n <= 0) break;
            seen.append(buffer.data(), static_cast<std::size_t>(n));
        }
        return seen;
    }

  private:
    int terminal_ = -1;
    pid_t process_ = -1;
};

class CompletionTest : public testing::Test {
  protected:
    CompletionTest() {
        appliance_.machines = {{{"id", "1"}, {"hostname", "node-1"}, {"mac", "52:54:00:00:00:01"}},
                               {{"id", "2"}, {"hostname", "node-2"}, {"mac", "52:54:00:00:00:02"}},
                               {{"id", "3"}, {"hostname", "other"}, {"mac", "02:00:00:00:00:03"}}};
    }
    std::string run_with(const std::vector<std::string>& arguments) {
        std::istringstream in;
        std::ostringstream out, err;
        Console console{in, out, err};
        EXPECT_EQ(run(arguments, console, environment()), 0) << err.str();
        EXPECT_EQ(err.str(), "");
        return out.str();
    }
    // The candidates for the last of WORDS.
    std::vector<std::string> complete(std::vector<std::string> words) {
        words.insert(words.begin(), "__complete");
        std::istringstream lines(run_with(words));
        std::vector<std::string> out;
        for (std::string line; std::getline(lines, line);) out.push_back(line.substr(0, line.find('\t')));
        return out;
    }
    Environment environment() {
        return {.url = url_, .token = appliance_.good_token, .config_dir = directory_.path()};
    }
    // A line's beginning and a tabulator are typed at SHELL, and the line is then made an echo of itself.
    static void expect(Shell& shell, const std::string& typed, const std::string& line) {
        shell.type(typed +
                   "\t\x01"
                   "echo '<' \x05 '>'\n");
        EXPECT_THAT(shell.wait_for("\n< " + line + " >"), HasSubstr("\n< " + line + " >")) << typed;
    }
    std::vector<std::string> shell_environment() {
        const std::string program = ROUSECTL;
        return {"PATH=" + program.substr(0, program.rfind('/')) + ":/usr/bin:/bin",
                "HOME=" + directory_.path(),
                "TERM=dumb",
                "HISTFILE=",
                "ROUSE_URL=" + url_,
                "ROUSE_TOKEN=" + appliance_.good_token,
                "XDG_CONFIG_HOME=" + directory_.path()};
    }

    http::TemporaryDirectory directory_;
    FakeAppliance appliance_;
    std::string url_ = appliance_.url();
};

TEST_F(CompletionTest, OffersCommandsOptionsAndWords) {
    EXPECT_THAT(complete({""}), IsSupersetOf({"machine", "cluster", "pool", "login", "context", "apply"}));
    EXPECT_THAT(complete({"ma"}), ElementsAre("machine"));
    EXPECT_THAT(complete({"machine", ""}), ElementsAre("list", "show", "add", "set", "delete", "import"));
    EXPECT_THAT(complete({"machine", "list", "--"}),
                IsSupersetOf({"--cluster", "--sort", "--watch", "--output"}));
    EXPECT_THAT(complete({"machine", "list", "--so"}), ElementsAre("--sort"));
    EXPECT_THAT(complete({"-o", ""}), ElementsAre("table", "wide", "json", "yaml", "name"));
    EXPECT_THAT(complete({"machine", "list", "--output=y"}), ElementsAre("--output=yaml"));
    EXPECT_THAT(complete({"machine", "add", "x", "y", "--role", "M"}), ElementsAre("MASTER"));
    EXPECT_THAT(complete({"machine", "list", "--columns", "mac,host"}), ElementsAre("mac,hostname"));
    EXPECT_THAT(complete({"machine", "list", "--filter", "hos"}), ElementsAre("hostname="));
    EXPECT_THAT(complete({"completion", ""}), ElementsAre("bash", "zsh"));
    EXPECT_THAT(complete({"image", "put", ""}), ElementsAre(":file"));
    EXPECT_THAT(complete({"backup", ""}), ElementsAre(":file"));
    EXPECT_THAT(complete({"backup", "--im"}), ElementsAre("--images"));
    EXPECT_THAT(complete({"restore", ""}), ElementsAre(":file"));
    EXPECT_THAT(complete({"oauth", ""}), ElementsAre("list", "show", "add", "set", "delete", "rotate"));
    EXPECT_THAT(complete({"oauth", "add", "x", "--roles", "vi"}), ElementsAre("viewer"));
    EXPECT_THAT(complete({"nonsense", "more", ""}), Not(Contains("node-1")));
    EXPECT_THAT(complete({}), IsEmpty());
}

TEST_F(CompletionTest, OffersNamesOfObjects) {
    EXPECT_THAT(complete({"machine", "show", ""}), ElementsAre("node-1", "node-2", "other"));
    EXPECT_THAT(complete({"machine", "show", "no"}), ElementsAre("node-1", "node-2"));
    EXPECT_THAT(complete({"-o", "json", "machine", "delete", "node-1", "no"}),
                ElementsAre("node-1", "node-2"));
    EXPECT_THAT(complete({"machine", "show", "52:54"}),
                ElementsAre("52:54:00:00:00:01", "52:54:00:00:00:02"));
    EXPECT_THAT(complete({"timeline", "--follow", "o"}), ElementsAre("other"));
    EXPECT_THAT(complete({"machine", "show", "node-1", ""}), IsEmpty()) << "there is only one to show";
}

TEST_F(CompletionTest, IsSilentAndQuickWithoutAnAppliance) {
    appliance_.vanish();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THAT(complete({"machine", "show", ""}), IsEmpty());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_THAT(complete({"machine", "s"}), ElementsAre("show", "set"));
}

TEST_F(CompletionTest, WorksInBash) {
    Shell shell({"bash", "--norc", "--noprofile", "-i"}, shell_environment());
    shell.type("bind 'set enable-bracketed-paste off'; source <(rousectl completion bash) && echo rea''dy\n");
    ASSERT_THAT(shell.wait_for("\nready"), HasSubstr("\nready"));
    expect(shell, "rousectl mach", "rousectl machine");
    expect(shell, "rousectl machine show oth", "rousectl machine show other");
    expect(shell, "rousectl machine show 02:0", "rousectl machine show 02:00:00:00:00:03");
    expect(shell, "rousectl machine list --output=y", "rousectl machine list --output=yaml");
    expect(shell, "rousectl machine list --filter host", "rousectl machine list --filter hostname=");
    std::ofstream(directory_ / "a file") << "x";
    shell.type("cd\n");
    expect(shell, "rousectl image put a", "rousectl image put a file");
}

TEST_F(CompletionTest, WorksInZsh) {
    Shell shell({"zsh", "-f", "-i"}, shell_environment());
    shell.type(
        "autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste; unset zle_bracketed_paste; "
        "source <(rousectl completion zsh) && echo rea''dy\n");
    ASSERT_THAT(shell.wait_for("\nready"), HasSubstr("\nready"));
    expect(shell, "rousectl mach", "rousectl machine");
    expect(shell, "rousectl machine show oth", "rousectl machine show other");
    expect(shell, "rousectl machine show 02:0", "rousectl machine show 02:00:00:00:00:03");
    expect(shell, "rousectl machine list --filter host", "rousectl machine list --filter hostname=");
}

TEST_F(CompletionTest, HelpFitsATerminal) {
    std::istringstream lines(run_with({"__reference"}));
    std::size_t commands = 0;
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 80U) << line;
        if (line.starts_with("### ")) ++commands;
    }
    EXPECT_GT(commands, 40U);
}

// build/release/bin/rousectl __reference prints what belongs after the mark.
TEST_F(CompletionTest, TheManualHasEveryCommand) {
    std::ifstream in(std::string(ROUSE_SOURCE_DIR) + "/docs/rousectl.md");
    const std::string manual(std::istreambuf_iterator<char>(in), {});
    const std::string mark = "## All commands\n";
    const auto at = manual.find(mark);
    ASSERT_NE(at, manual.npos);
    EXPECT_TRUE(manual.substr(at + mark.size()) == run_with({"__reference"}))
        << "write it anew: its last section says how";
}

}  // namespace
}  // namespace rouse::cli
