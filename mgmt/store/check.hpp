#pragma once
// Whether documents, indices and the feed of changes say the same.

#include "mgmt/store/store.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rouse::store {

struct StoreCheck {
    struct Count {
        std::string_view noun;  // "machine"
        std::size_t documents = 0;
    };
    static constexpr std::size_t kMostTold = 100;

    std::vector<Count> counts;        // of every kind
    std::size_t entries = 0;          // of indices, as the documents have it
    std::vector<std::string> faults;  // a sentence each, the first kMostTold
    std::size_t untold = 0;           // those after them

    void add(std::string fault) {
        if (faults.size() < kMostTold)
            faults.push_back(std::move(fault));
        else
            ++untold;
    }
    [[nodiscard]] bool is_good() const noexcept { return faults.empty(); }
};

// Reads every document: each is whole and says its own id, every index has its values under that id, no index
// has anything else, and the feed has each. Errors: the store cannot be read at all.
[[nodiscard]] Result<StoreCheck> check_documents(const View& view);

}  // namespace rouse::store
