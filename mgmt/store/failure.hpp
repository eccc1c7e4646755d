#pragma once
// Why an operation of the management plane was refused: what happened, and which field of the request it is
// about. REST turns the kind into a status, the bulk import into a line of its report.

#include "shared/result.hpp"

#include <string>
#include <utility>

namespace rouse {

struct Failure {
    enum class Kind {
        invalid,    // the request can never succeed as it is
        not_found,  // what it names does not exist
        conflict,   // it contradicts what is there now
        changed,    // it is no longer as the request presumes
        gone,       // it was there and has been used up
        store,      // the store could not do it: full, damaged, disk trouble; nothing was changed
    };
    Kind kind = Kind::store;
    std::string message;  // one sentence for a person
    std::string pointer;  // JSON pointer (RFC 6901) of the field, such as "/mac"; empty: none in particular

    Failure(Kind what, std::string why, std::string where = {})
        : kind(what), message(std::move(why)), pointer(std::move(where)) {}
    Failure(Error error)  // NOLINT(google-explicit-constructor): every store error is such a failure
        : message(std::move(error.message)) {}
};

template <typename T>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> refuse(Failure::Kind kind, std::string message,
                                                    std::string pointer = {}) {
    return tl::unexpected(Failure(kind, std::move(message), std::move(pointer)));
}
// Passes on an error of either kind.
template <typename E>
[[nodiscard]] tl::unexpected<Failure> pass_on(const E& error) {
    return tl::unexpected<Failure>(Failure(error));
}

}  // namespace rouse
