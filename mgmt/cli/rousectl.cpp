// The command line client's entry: everything of the process, nothing of the commands.

#include "mgmt/cli/command.hpp"

#include <cstdio>
#include <exception>
#include <iostream>

#include <termios.h>
#include <unistd.h>

namespace {

std::optional<std::string> ask_on_terminal(const std::string& prompt) {
    termios before{};
    if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &before) != 0) return std::nullopt;
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    std::cerr << prompt << std::flush;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::string line;
    std::getline(std::cin, line);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << std::endl;
    return line;
}

}  // namespace

int main(int argc, char** argv) {
    rouse::cli::Console console{std::cin, std::cout, std::cerr, isatty(STDERR_FILENO) != 0, ask_on_terminal};
    try {
        return rouse::cli::run({argv + 1, argv + argc}, console, rouse::cli::Environment::of_process());
    } catch (const std::exception& error) {
        std::cerr << "rousectl: unexpected: " << error.what() << std::endl;
        return static_cast<int>(rouse::cli::ExitCode::failed);
    }
}
