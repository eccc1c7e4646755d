#include "mgmt/maintenance/check_store.hpp"

#include "mgmt/boot/consistency.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <ostream>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rouse::maintenance {
namespace {

void print(const store::StoreCheck& check, std::ostream& out) {
    for (const auto& [noun, documents] : check.counts)
        out << std::left << std::setw(24) << noun << documents << '\n';
    out << std::setw(24) << "index entries" << check.entries << '\n';
    for (const auto& fault : check.faults) out << "fault: " << fault << '\n';
    if (check.untold != 0) out << "and " << check.untold << " more\n";
    if (check.is_good())
        out << "the store is consistent\n";
    else
        out << check.faults.size() + check.untold << " faults; restore a backup with rouse-mgmt --restore\n";
    out << std::flush;
}

int check_here(const Config& config, std::ostream& out, std::ostream& err) {
    const auto store = store::Store::open_read_only(config.lmdb_dir());
    if (!store) {
        err << store.error().message << std::endl;
        return EXIT_FAILURE;
    }
    const auto check = check_opened(**store, config);
    if (!check) {
        err << check.error().message << std::endl;
        return EXIT_FAILURE;
    }
    print(*check, out);
    return check->is_good() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

Result<store::StoreCheck> check_opened(const store::Store& store, const Config& config) {
    const auto snapshot = store.snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    auto check = store::check_documents(*snapshot);
    if (!check) return check;
    const auto checked = boot::check_consistency(
        *snapshot, {.images_dir = config.images_dir(), .is_worker = config.worker.is_worker()}, *check);
    if (!checked) return tl::unexpected(checked.error());
    return check;
}

int check_store(const Config& config, std::ostream& out, std::ostream& err) {
    out.flush();
    const pid_t child = ::fork();
    if (child < 0) {
        err << "cannot start the check: " << std::strerror(errno) << std::endl;
        return EXIT_FAILURE;
    }
    if (child == 0) {
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        // What a damaged file does to the child must end it as the parent expects, whoever handles it
        // otherwise.
        for (const int signal : {SIGBUS, SIGSEGV}) std::signal(signal, SIG_DFL);
        ::_exit(check_here(config, out, err));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    err << "the store in " << config.lmdb_dir() << " is damaged: reading it ended with \""
        << ::strsignal(WTERMSIG(status)) << "\"; restore a backup with rouse-mgmt --restore" << std::endl;
    return EXIT_FAILURE;
}

}  // namespace rouse::maintenance
