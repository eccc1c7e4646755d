// The command line client's entry: everything of the process, nothing of the commands.

#include "mgmt/cli/command.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace {

std::optional<std::string> ask_on_terminal(const std::string& prompt, bool echo) {
    termios before{};
    if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &before) != 0) return std::nullopt;
    termios silent = before;
    if (!echo) silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    std::cerr << prompt << std::flush;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::string line;
    std::getline(std::cin, line);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    if (!echo) std::cerr << std::endl;
    return line;
}

// 0 when standard output is no terminal, or does not say.
std::size_t terminal_width() {
    winsize size{};
    return isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// no-color.org
bool wants_colours() {
    const char* no = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return isatty(STDOUT_FILENO) != 0 && (no == nullptr || *no == '\0') &&
           (terminal == nullptr || std::string_view(terminal) != "dumb");
}

}  // namespace

int main(int argc, char** argv) {
    rouse::cli::Console console{
        .in = std::cin,
        .out = std::cout,
        .err = std::cerr,
        .err_is_terminal = isatty(STDERR_FILENO) != 0,
        .ask_secret = [](const std::string& prompt) { return ask_on_terminal(prompt, false); },
        .ask = [](const std::string& prompt) { return ask_on_terminal(prompt, true); },
        .out_is_terminal = isatty(STDOUT_FILENO) != 0,
        .colours = wants_colours(),
        .width = terminal_width()};
    try {
        return rouse::cli::run({argv + 1, argv + argc}, console, rouse::cli::Environment::of_process());
    } catch (const std::exception& error) {
        std::cerr << "rousectl: unexpected: " << error.what() << std::endl;
        return static_cast<int>(rouse::cli::ExitCode::failed);
    }
}
