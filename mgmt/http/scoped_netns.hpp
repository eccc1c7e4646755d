#pragma once
// Puts the calling thread into another network namespace while it lives: a socket made meanwhile belongs to
// that namespace for ever, whichever thread uses it later (network_namespaces(7)).

#include "shared/result.hpp"

#include <string>

namespace rouse::http {

class ScopedNetns {
  public:
    // PATH: a namespace file such as /run/netns/management; empty: stay, and do nothing.
    [[nodiscard]] static Result<ScopedNetns> enter(const std::string& path);
    ScopedNetns(ScopedNetns&& other) noexcept;
    ScopedNetns& operator=(ScopedNetns&&) = delete;
    // Back to where the thread was. Ends the process if that fails: a thread in the wrong network must not
    // go on.
    ~ScopedNetns();

  private:
    explicit ScopedNetns(int home) noexcept : home_(home) {}
    int home_;  // descriptor of the namespace to return to, -1: none
};

}  // namespace rouse::http
