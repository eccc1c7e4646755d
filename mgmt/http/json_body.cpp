#include "mgmt/http/json_body.hpp"

#include "mgmt/http/json_pointer.hpp"

#include <array>

#include <nlohmann/json.hpp>

namespace rouse::http {
namespace {

using nlohmann::json;

// Builds the document from the parser's events, because the library's own builder lets the last of several
// equal keys win and has no limit of depth.
class DocumentBuilder final : public nlohmann::json_sax<json> {
  public:
    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t& /*text*/) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t& /*value*/) override { return false; }  // no such thing in JSON text

    bool start_object(std::size_t /*size*/) override { return open(json::object()); }
    bool start_array(std::size_t /*size*/) override { return open(json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        json& object = *stack_.back();
        if (object.contains(name))
            return stop(invalid_field(pointer() + pointer_step(name), "appears twice in its object").value());
        member_ = &object[name];
        return true;
    }

    bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                     const json::exception& error) override {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: …"; the last part may quote the
        // body at any length.
        std::string_view text = error.what();
        text.remove_prefix(std::min(text.find("] ") + 2, text.size()));
        return stop(
            {Status::bad_request, "the body is not valid JSON: " + std::string(text.substr(0, 200)), {}, {}});
    }

    [[nodiscard]] OrProblem<json> take() {
        if (problem_) return tl::unexpected(std::move(*problem_));
        return std::move(root_);
    }

  private:
    bool stop(Problem problem) {
        problem_ = std::move(problem);
        return false;
    }
    json* place(json value) {
        if (stack_.empty()) return &(root_ = std::move(value));
        if (stack_.back()->is_array()) return &stack_.back()->emplace_back(std::move(value));
        return &(*member_ = std::move(value));
    }
    bool put(json value) {
        place(std::move(value));
        return true;
    }
    bool open(json container) {
        if (stack_.size() == kMaxJsonDepth)
            return stop({Status::bad_request,
                         "the body is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels",
                         {},
                         {}});
        stack_.push_back(place(std::move(container)));
        return true;
    }
    bool close() {
        stack_.pop_back();
        return true;
    }
    // Where the innermost open container is.
    [[nodiscard]] std::string pointer() const {
        std::string out;
        for (std::size_t i = 0; i + 1 < stack_.size(); ++i) {
            const json& parent = *stack_[i];
            if (parent.is_array()) {
                out += pointer_step(parent.size() - 1);
                continue;
            }
            for (const auto& [name, value] : parent.items())
                if (&value == stack_[i + 1]) out += pointer_step(name);
        }
        return out;
    }

    json root_;
    std::vector<json*> stack_;  // open containers, outermost first
    json* member_ = nullptr;    // of the innermost object, the one whose key came last
    std::optional<Problem> problem_;
};

bool is_json_type(std::string_view type) {
    return type == "application/json" || (type.ends_with("+json") && type != "+json");
}

tl::unexpected<Problem> too_large(std::size_t limit) {
    return problem(Status::content_too_large, "the body is larger than " + std::to_string(limit) +
                                                  " bytes; send less at once, or raise api.max_body_mib");
}

}  // namespace

OrProblem<json> parse_json(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return problem(Status::bad_request, "the body is empty; this request needs a JSON document");
    DocumentBuilder builder;
    json::sax_parse(text.begin(), text.end(), &builder);
    return builder.take();
}

std::string media_type(const Request& request) {
    const auto header = request.headers.get("Content-Type");
    std::string type(header.substr(0, header.find(';')));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
    for (char& c : type)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return type;
}

asio::awaitable<OrProblem<std::string>> read_text(Request& request, std::size_t limit) {
    if (request.body_length().value_or(0) > limit) co_return too_large(limit);
    std::string text;
    text.reserve(request.body_length().value_or(0));
    std::array<std::byte, 4096> chunk;
    for (;;) {
        const auto n = co_await request.read_some(chunk);
        if (!n) co_return tl::unexpected(n.error());
        if (*n == 0) break;
        if (*n > limit - text.size()) co_return too_large(limit);
        text.append(reinterpret_cast<const char*>(chunk.data()), *n);
    }
    co_return text;
}

asio::awaitable<OrProblem<json>> read_json(Request& request, std::size_t limit) {
    if (request.headers.find("Content-Type") && !is_json_type(media_type(request)))
        co_return problem(Status::unsupported_media_type,
                          "the body's Content-Type is \"" + std::string(request.headers.get("Content-Type")) +
                              "\"; send application/json");
    const auto text = co_await read_text(request, limit);
    if (!text) co_return tl::unexpected(text.error());
    co_return parse_json(*text);
}

}  // namespace rouse::http
