#pragma once
// The files of one owner, a machine or a profile: names in table `names`, texts in table `rendered`. Names of
// the same text share it.

#include "mgmt/store/failure.hpp"
#include "mgmt/store/store.hpp"
#include "shared/addresses.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rouse::boot {

struct OwnFile {
    std::string name;
    store::ContentKind kind = store::ContentKind::rendered;  // or framed
    std::string value;                                       // as table `rendered` has it
};

struct FileOwner {
    std::optional<MacAddress> machine;  // else:
    store::ProfileId profile = 0;

    [[nodiscard]] std::optional<store::NameKey> key(std::string_view name) const noexcept {
        return machine ? store::NameKey::machine(*machine, name) : store::NameKey::profile(profile, name);
    }
};

// Makes FILES the owner's files, of two with one name the later one. Writes what differs; texts that go stay
// readable for kRenderedGraceSeconds. Names that are too long to be asked for are left out.
[[nodiscard]] Outcome<void> set_files(store::Batch& batch, const FileOwner& owner,
                                      const std::vector<OwnFile>& files);

// HOST's boot line is LINE from now on, none if that is empty; the one before is retired. The caller stores
// the host.
[[nodiscard]] Outcome<void> replace_line(store::Batch& batch, store::HostRecord& host, std::string_view line);

}  // namespace rouse::boot
