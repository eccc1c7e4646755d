#include "mgmt/ims/problems.hpp"

namespace rouse::ims {
namespace {

http::Status status_of(Failure::Kind kind) {
    switch (kind) {
        case Failure::Kind::invalid:
            return http::Status::bad_request;
        case Failure::Kind::not_found:
            return http::Status::not_found;
        case Failure::Kind::conflict:
            return http::Status::conflict;
        case Failure::Kind::changed:
            return http::Status::precondition_failed;
        case Failure::Kind::gone:
            return http::Status::gone;
        case Failure::Kind::store:
            return http::Status::insufficient_storage;
    }
    return http::Status::internal_server_error;
}

}  // namespace

http::Problem to_problem(const Failure& failure) {
    http::Problem problem{status_of(failure.kind), failure.message, {}, {}};
    if (!failure.pointer.empty()) problem.errors.push_back({failure.pointer, failure.message});
    return problem;
}

tl::unexpected<http::Problem> bad_query(const std::string& name, const std::string& detail) {
    return http::problem(http::Status::bad_request, "the query parameter " + name + " " + detail);
}

}  // namespace rouse::ims
