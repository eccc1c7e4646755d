#include "mgmt/http/schema.hpp"

#include "mgmt/http/field_check.hpp"

#include <nlohmann/json.hpp>

namespace rouse::http {

Field::Field(FieldType type, std::string name, std::string description)
    : type_(type), name_(std::move(name)), description_(std::move(description)) {}

Field Field::required() && {
    required_ = true;
    return std::move(*this);
}

Field Field::read_only() && {
    read_only_ = true;
    return std::move(*this);
}

Field Field::write_only() && {
    write_only_ = true;
    return std::move(*this);
}

Field Field::default_to(const nlohmann::json& value) && {
    default_ = std::make_shared<const nlohmann::json>(value);
    return std::move(*this);
}

Field Field::length(std::size_t minimum, std::size_t maximum) && {
    return std::move(*this).items(minimum, maximum);
}

Field Field::multiline() && {
    multiline_ = true;
    return std::move(*this);
}

Field Field::range(std::int64_t minimum, std::int64_t maximum) && {
    minimum_ = minimum;
    maximum_ = maximum;
    return std::move(*this);
}

Field Field::items(std::size_t minimum, std::size_t maximum) && {
    minimum_size_ = minimum;
    maximum_size_ = maximum;
    return std::move(*this);
}

Field Field::check(bool (*predicate)(std::string_view), std::string expectation) && {
    predicate_ = predicate;
    expectation_ = std::move(expectation);
    return std::move(*this);
}

Field string(std::string name, std::string description) {
    return {FieldType::string, std::move(name), std::move(description)};
}
Field integer(std::string name, std::string description) {
    return {FieldType::integer, std::move(name), std::move(description)};
}
Field number(std::string name, std::string description) {
    return {FieldType::number, std::move(name), std::move(description)};
}
Field boolean(std::string name, std::string description) {
    return {FieldType::boolean, std::move(name), std::move(description)};
}
Field mac(std::string name, std::string description) {
    return {FieldType::mac, std::move(name), std::move(description)};
}
Field ipv4(std::string name, std::string description) {
    return {FieldType::ipv4, std::move(name), std::move(description)};
}
Field prefix(std::string name, std::string description) {
    return {FieldType::prefix, std::move(name), std::move(description)};
}
Field uuid(std::string name, std::string description) {
    return {FieldType::uuid, std::move(name), std::move(description)};
}
Field timestamp(std::string name, std::string description) {
    return {FieldType::timestamp, std::move(name), std::move(description)};
}
Field any(std::string name, std::string description) {
    return {FieldType::any, std::move(name), std::move(description)};
}

Field choice(std::string name, std::string description, std::vector<std::string> words) {
    Field field(FieldType::choice, std::move(name), std::move(description));
    field.words_ = std::move(words);
    return field;
}

Field array(Field element) {
    Field field(FieldType::array, element.name_, element.description_);
    field.required_ = element.required_;
    field.read_only_ = element.read_only_;
    field.write_only_ = element.write_only_;
    field.element_ = std::make_shared<const Field>(std::move(element));
    return field;
}

Field map(std::string name, std::string description, std::vector<std::string> keys, Field value) {
    Field field(FieldType::map, std::move(name), std::move(description));
    field.words_ = std::move(keys);
    field.element_ = std::make_shared<const Field>(std::move(value));
    return field;
}

Field object(std::string name, std::string description, const Schema& schema) {
    Field field(FieldType::object, std::move(name), std::move(description));
    field.schema_ = &schema;
    return field;
}

Schema::Schema(std::string name, std::string description, std::vector<Field> fields)
    : name_(std::move(name)), description_(std::move(description)), fields_(std::move(fields)) {}

const Field* Schema::find(std::string_view field) const noexcept {
    for (const auto& candidate : fields_)
        if (candidate.name() == field) return &candidate;
    return nullptr;
}

OrProblem<nlohmann::json> Schema::accept(const nlohmann::json& body) const {
    return FieldCheck(FieldCheck::Mode::whole).run(*this, body);
}

OrProblem<nlohmann::json> Schema::accept_patch(const nlohmann::json& body) const {
    return FieldCheck(FieldCheck::Mode::patch).run(*this, body);
}

OrProblem<nlohmann::json> Schema::merge(const nlohmann::json& current, const nlohmann::json& patch) const {
    nlohmann::json writable = nlohmann::json::object();
    nlohmann::json result = current;
    for (const auto& field : fields_) {
        const auto member = current.find(field.name());
        if (field.is_read_only() || member == current.end()) continue;
        writable[field.name()] = *member;
        result.erase(field.name());
    }
    writable.merge_patch(patch);
    auto accepted = FieldCheck(FieldCheck::Mode::merged).run(*this, writable);
    if (accepted) result.update(*accepted);
    if (!accepted) return accepted;
    return result;
}

}  // namespace rouse::http
