// The JSON Schema of a Schema: what the OpenAPI document shows of the very table that bodies are checked by.

#include "mgmt/http/schema.hpp"

#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;

json type_of(FieldType type) {
    switch (type) {
        case FieldType::integer:
            return {{"type", "integer"}};
        case FieldType::number:
            return {{"type", "number"}};
        case FieldType::boolean:
            return {{"type", "boolean"}};
        case FieldType::mac:
            return {{"type", "string"},
                    {"pattern",
                     "^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{4}[.]){2}[0-9A-Fa-f]{4}$"}};
        case FieldType::ipv4:
            return {{"type", "string"}, {"format", "ipv4"}};
        case FieldType::prefix:
            return {{"type", "string"}, {"pattern", "^[0-9.]+/[0-9]+$"}};
        case FieldType::uuid:
            return {{"type", "string"}, {"format", "uuid"}};
        case FieldType::timestamp:
            return {{"type", "string"}, {"format", "date-time"}};
        case FieldType::array:
            return {{"type", "array"}};
        case FieldType::map:
        case FieldType::object:
            return {{"type", "object"}};
        case FieldType::string:
        case FieldType::choice:
            return {{"type", "string"}};
        case FieldType::any:
            return json::object();
    }
    return json::object();
}

}  // namespace

json describe_field(const Field& field) {
    json out = type_of(field.type_);
    if (field.type_ == FieldType::object) out = {{"$ref", "#/components/schemas/" + field.schema_->name()}};
    if (!field.description_.empty()) out["description"] = field.description_;
    if (field.read_only_) out["readOnly"] = true;
    if (field.write_only_) out["writeOnly"] = true;
    if (field.default_) out["default"] = *field.default_;
    if (field.minimum_) out["minimum"] = *field.minimum_;
    if (field.maximum_) out["maximum"] = *field.maximum_;
    if (field.type_ == FieldType::choice) out["enum"] = field.words_;

    const auto size = [&](const char* minimum, const char* maximum) {
        if (field.minimum_size_ > 0) out[minimum] = field.minimum_size_;
        out[maximum] = field.maximum_size_;
    };
    if (field.type_ == FieldType::string) size("minLength", "maxLength");
    if (field.type_ == FieldType::array) {
        size("minItems", "maxItems");
        out["items"] = describe_field(*field.element_);
        for (const char* of_the_array : {"description", "readOnly", "writeOnly"})
            out["items"].erase(of_the_array);
    }
    if (field.type_ == FieldType::map) {
        size("minProperties", "maxProperties");
        out["additionalProperties"] = describe_field(*field.element_);
        if (!field.words_.empty()) out["propertyNames"] = {{"enum", field.words_}};
    }
    return out;
}

json Schema::describe() const {
    json out = {{"type", "object"}, {"description", description_}, {"additionalProperties", false}};
    out["properties"] = json::object();
    for (const auto& field : fields_) {
        out["properties"][field.name()] = describe_field(field);
        if (field.is_required()) out["required"].push_back(field.name());
    }
    return out;
}

std::vector<const Schema*> Schema::references() const {
    std::vector<const Schema*> out;
    for (const auto& field : fields_)
        for (const Field* at = &field; at != nullptr; at = at->element_.get())
            if (at->schema_ != nullptr) out.push_back(at->schema_);
    return out;
}

}  // namespace rouse::http
