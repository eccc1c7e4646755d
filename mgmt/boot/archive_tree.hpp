#pragma once
// The directory tree of an archive, in memory: files, directories and symbolic links, and what the links lead
// to. Pure: paths are text, and nothing is looked up outside the tree.

#include "shared/result.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::boot {

class ArchiveTree {
  public:
    struct Node {
        std::optional<std::size_t> content;                     // a file's
        std::optional<std::string> link;                        // a symbolic link's target
        std::map<std::string, std::unique_ptr<Node>> children;  // a directory's
        Node* parent = nullptr;

        [[nodiscard]] bool is_directory() const noexcept { return !content && !link; }
    };

    // "./a//b/" is a/b. Errors: absolute, or with a ".." segment.
    [[nodiscard]] static Result<std::vector<std::string>> split(std::string_view path);

    // Places a file, link or directory. Of two with the same path the later one counts, as tar has it.
    // Errors: below a file or a link, or a directory would have to give way.
    [[nodiscard]] Result<void> add_file(std::string_view path, std::size_t content);
    [[nodiscard]] Result<void> add_link(std::string_view path, std::string target);
    [[nodiscard]] Result<void> add_directory(std::string_view path);
    // The file of exactly this path, links not followed.
    [[nodiscard]] std::optional<std::size_t> file(std::string_view path) const;

    // Every file by every path that leads to it, links included. NOWHERE is told of links that lead nowhere,
    // out of the tree, or round in a circle, and of what lies too deep behind links. Links can make any
    // number of paths of few entries: false, and no more is told, once there are more than MOST, directories
    // included.
    [[nodiscard]] bool walk(
        std::size_t most, const std::function<void(const std::string& path, std::size_t content)>& found,
        const std::function<void(const std::string& path, const std::string& reason)>& nowhere) const;

  private:
    [[nodiscard]] Result<Node*> place(std::string_view path);
    [[nodiscard]] const Node* follow(const Node& link, int& hops) const;
    struct Walk;
    Node root_;
};

}  // namespace rouse::boot
