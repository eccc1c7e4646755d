#pragma once
// A request's body in a file among the images, hashed as it comes.

#include "mgmt/boot/upload.hpp"
#include "mgmt/http/problem.hpp"
#include "mgmt/http/request.hpp"
#include "mgmt/ims/services.hpp"

#include <functional>
#include <memory>
#include <span>

#include <boost/asio/awaitable.hpp>

namespace rouse::ims {

// UPLOAD is the finished file; it goes with the object, by discard(). Problems: the client went away, its
// bytes are not those that it announced (Content-Digest), the disk.
boost::asio::awaitable<http::OrProblem<boot::Content>> receive_file(const Services& services,
                                                                    http::Request& request,
                                                                    std::unique_ptr<boot::Upload>& upload);

// Publishes the contents, then runs NAME in an operation of the Writer; again if one was collected in
// between.
boost::asio::awaitable<Outcome<void>> publish_files(const Services& services, const http::Request& request,
                                                    std::span<boot::Upload> contents,
                                                    std::function<Outcome<void>(store::Batch&)> name);

}  // namespace rouse::ims
