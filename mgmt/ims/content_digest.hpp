#pragma once
// The digests of RFC 9530 (Content-Digest, Repr-Digest) with SHA-256, the catalogue's own.

#include "mgmt/http/headers.hpp"
#include "mgmt/http/problem.hpp"
#include "shared/store/records.hpp"

#include <optional>
#include <string>

namespace rouse::ims {

// "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
[[nodiscard]] std::string digest_field(const store::Sha256& hash);

// What the sender says that the body's SHA-256 is; nothing when it says nothing, or by other algorithms only.
// A 400 for what is malformed.
[[nodiscard]] http::OrProblem<std::optional<store::Sha256>> digest_of(const http::Headers& headers);

}  // namespace rouse::ims
