#include "mgmt/cli/command.hpp"

#include <fstream>
#include <istream>
#include <iterator>

namespace rouse::cli {

OrFailure<std::string> read_input(Console& console, const std::string& path) {
    if (path == "-") return std::string(std::istreambuf_iterator<char>(console.in), {});
    std::ifstream in(path, std::ios::binary);
    if (!in) return failure(ExitCode::failed, "cannot read " + path);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace rouse::cli
