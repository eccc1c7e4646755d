#pragma once
// How help looks, and all of it as one text.

#include <memory>
#include <string>

namespace CLI {
class App;
class FormatterBase;
}  // namespace CLI

namespace rouse::cli {

// Lines of at most 80 characters.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

// The help of APP's commands as Markdown, the commands' part of docs/rousectl.md.
[[nodiscard]] std::string reference(const CLI::App& app);

}  // namespace rouse::cli
