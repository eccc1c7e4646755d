#pragma once
// Whether documents and indices say the same.

#include "mgmt/store/store.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace rouse::store {

struct StoreCheck {
    std::size_t documents = 0;
    std::size_t entries = 0;          // of indices
    std::vector<std::string> faults;  // a sentence each, kMostFaults of them at most
    static constexpr std::size_t kMostFaults = 100;

    void add(std::string fault) {
        if (faults.size() < kMostFaults) faults.push_back(std::move(fault));
    }
};

// Reads every document: each is whole, every index has its values under its id, and holds nothing else.
[[nodiscard]] Result<StoreCheck> check_documents(const View& view);

}  // namespace rouse::store
