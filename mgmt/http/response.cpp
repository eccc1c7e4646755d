#include "mgmt/http/response.hpp"

#include "mgmt/http/json_text.hpp"

#include <unistd.h>

namespace rouse::http {
namespace {

Response with_type(std::string content_type, Status status) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", std::move(content_type));
    return response;
}

}  // namespace

File::~File() {
    ::close(descriptor_);
}

Response Response::json(const nlohmann::json& value, Status status) {
    return json_text(to_text(value), status);
}

Response Response::json_text(std::string text, Status status) {
    Response response = with_type("application/json", status);
    response.body = std::move(text);
    return response;
}

Response Response::created(std::string location, const nlohmann::json& value) {
    Response response = json(value, Status::created);
    response.headers.add("Location", std::move(location));
    return response;
}

Response Response::text(std::string text, std::string content_type, Status status) {
    Response response = with_type(std::move(content_type), status);
    response.body = std::move(text);
    return response;
}

Response Response::no_content() {
    Response response;
    response.status = Status::no_content;
    return response;
}

Response Response::file(FileRange range, std::string content_type) {
    Response response = with_type(std::move(content_type), Status::ok);
    response.body = std::move(range);
    return response;
}

Response Response::stream(StreamBody body, std::string content_type) {
    Response response = with_type(std::move(content_type), Status::ok);
    response.body = std::move(body);
    return response;
}

Response Response::from(const Problem& problem) {
    Response response = with_type(std::string(kProblemType), problem.status);
    for (const auto& [name, value] : problem.headers) response.headers.add(name, value);
    response.body = to_text(to_json(problem));
    return response;
}

}  // namespace rouse::http
