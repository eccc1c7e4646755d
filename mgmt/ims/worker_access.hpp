#pragma once
// Whose word a request about a worker is: a worker's token acts for that worker alone.

#include "mgmt/http/request.hpp"
#include "mgmt/http/router.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/store/documents.hpp"

#include <string>
#include <string_view>

namespace rouse::ims {

// Letters, digits, ".", "_" and "-": it is part of paths.
[[nodiscard]] bool is_worker_id(std::string_view id);

// Workers' tokens begin so, which tells them from all others.
inline constexpr std::string_view kWorkerTokenPrefix = "rouse-worker-";

// The worker that a bearer token was given to; a 401 for one that nobody has any more.
[[nodiscard]] http::OrProblem<http::Principal> worker_of_token(const store::Store& store,
                                                               std::string_view token);

// OTHERS, and before it the tokens of workers.
[[nodiscard]] http::Authenticator with_workers(const store::Store& store, http::Authenticator others);

// For an appliance that follows the centre at URL: what it follows is changed there, and a request that would
// change it here is refused (409) once INNER knows who sends it.
[[nodiscard]] http::Authenticator with_centre(std::string url, http::Authenticator inner);

// The document of the worker WORKER_ID; a 403 when the request is another worker's, a 404 when there is none.
[[nodiscard]] http::OrProblem<store::Document> acting_worker(const Services& services,
                                                             const http::Request& request,
                                                             const std::string& worker_id);

}  // namespace rouse::ims
