#pragma once
// Some tests need what only root may do. Missing privileges fail them, so that a green run means that they
// ran; with ROUSE_ALLOW_UNPRIVILEGED in the environment they are skipped, saying why.

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace rouse::test {

[[nodiscard]] inline bool unprivileged_allowed() {
    return std::getenv("ROUSE_ALLOW_UNPRIVILEGED") != nullptr;
}

}  // namespace rouse::test

// Ends the test, unless PRIVILEGED. WHY: what was refused.
#define ROUSE_NEEDS_PRIVILEGES(privileged, why)                                                            \
    do {                                                                                                   \
        if (privileged) break;                                                                             \
        if (::rouse::test::unprivileged_allowed()) GTEST_SKIP() << (why);                                  \
        FAIL() << (why) << "\nRun the tests as root, or set ROUSE_ALLOW_UNPRIVILEGED=1 to skip this one."; \
    } while (false)
