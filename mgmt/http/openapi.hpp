#pragma once
// The API's description of itself, made of the router's routes and the schemas that bodies are checked by.

#include "mgmt/http/router.hpp"

#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

// The schemas of all bodies that ROUTER's routes take and answer with, and those within them, by name; not
// owned. Two different ones of one name are a programming error: std::logic_error.
[[nodiscard]] std::map<std::string, const Schema*> schemas_of(const Router& router);

// An OpenAPI 3.1 document of ROUTER's routes; throws as schemas_of() does.
[[nodiscard]] nlohmann::json openapi_document(const Router& router, const std::string& title);

// GET /openapi.json and GET /docs, which shows it to people. To be called last: they show the routes that are
// there.
void add_documentation(Router& router, const std::string& title);

}  // namespace rouse::http
