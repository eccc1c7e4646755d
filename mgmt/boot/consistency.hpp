#pragma once
// Whether what documents say of each other, and what the dataplane reads of machines, fits together.

#include "mgmt/store/check.hpp"

#include <string>

namespace rouse::boot {

struct ConsistencyOptions {
    std::string images_dir{};  // empty: images' contents are not looked for
    bool is_worker = false;    // it follows another appliance, and has of each thing what it serves
};

// Adds to CHECK: each document that names another finds it, each machine that is served here has its host
// record and its lease, no registered machine's host record is without its machine, and images have their
// contents, of the right size. Documents that cannot be read are passed over. Blocking.
Result<void> check_consistency(const store::View& view, const ConsistencyOptions& options,
                               store::StoreCheck& check);

}  // namespace rouse::boot
