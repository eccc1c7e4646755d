// rouse-fill-store STATE_DIR MACHINES FILE_BYTES: a state directory as rouse-mgmt would have written it, with
// so many machines (52:54:00:00:00:00 and on, 10.1.0.0 and on) and one file, `image`, that all may fetch. For
// benchmarks of the dataplane alone.

#include "tests/support/scratch_store.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rouse {
namespace {

std::size_t number(const char* text) {
    std::size_t value = 0;
    const char* const end = text + std::strlen(text);
    if (const auto read = std::from_chars(text, end, value); read.ec != std::errc{} || read.ptr != end)
        throw std::runtime_error(std::string("'") + text + "' is no number");
    return value;
}

void fill(const std::filesystem::path& state, std::uint32_t machines, std::size_t file_bytes) {
    std::filesystem::create_directories(state / "images");
    test::ScratchStore store(state);
    store.add_network_and_profile();
    store.add_machines(machines);
    store.add_image("image", std::string(file_bytes, 'r'));
    const std::filesystem::path made = std::filesystem::path(store.images()).parent_path();
    std::filesystem::rename(made / "images", state / "images" / "sha256");
    std::filesystem::rename(made, state / "lmdb");
}

}  // namespace
}  // namespace rouse

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("Usage: rouse-fill-store STATE_DIR MACHINES FILE_BYTES\n", stderr);
        return EXIT_FAILURE;
    }
    try {
        rouse::fill(argv[1], static_cast<std::uint32_t>(rouse::number(argv[2])), rouse::number(argv[3]));
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rouse-fill-store: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
