#include "mgmt/boot/archive_tree.hpp"

#include <algorithm>

namespace rouse::boot {
namespace {

constexpr int kMaxHops = 40;           // links on the way to one place, as Linux has it
constexpr std::size_t kMaxDepth = 64;  // directories; no name that can be served is deeper

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto segment = path.substr(0, slash);
        if (!segment.empty() && segment != ".") segments.emplace_back(segment);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return segments;
}

}  // namespace

Result<std::vector<std::string>> ArchiveTree::split(std::string_view path) {
    if (path.starts_with('/')) return fail("has an absolute path");
    auto segments = segments_of(path);
    if (std::count(segments.begin(), segments.end(), "..") > 0) return fail("has \"..\" in its path");
    if (segments.size() > kMaxDepth) return fail("lies too deep");
    return segments;
}

Result<ArchiveTree::Node*> ArchiveTree::place(std::string_view path) {
    const auto segments = split(path);
    if (!segments) return tl::unexpected(segments.error());
    Node* node = &root_;
    for (const auto& segment : *segments) {
        if (!node->is_directory()) return fail("lies below a file or a link");
        auto& child = node->children[segment];
        if (!child) child = std::make_unique<Node>();
        child->parent = node;
        node = child.get();
    }
    return node;
}

Result<void> ArchiveTree::add_file(std::string_view path, std::size_t content) {
    const auto node = place(path);
    if (!node) return tl::unexpected(node.error());
    if (*node == &root_ || !(*node)->children.empty()) return fail("is a directory and a file");
    (*node)->link.reset();
    (*node)->content = content;
    return {};
}

Result<void> ArchiveTree::add_link(std::string_view path, std::string target) {
    const auto node = place(path);
    if (!node) return tl::unexpected(node.error());
    if (*node == &root_ || !(*node)->children.empty()) return fail("is a directory and a link");
    (*node)->content.reset();
    (*node)->link = std::move(target);
    return {};
}

Result<void> ArchiveTree::add_directory(std::string_view path) {
    const auto node = place(path);
    if (!node) return tl::unexpected(node.error());
    if (!(*node)->is_directory()) return fail("is a directory and a file or a link");
    return {};
}

std::optional<std::size_t> ArchiveTree::file(std::string_view path) const {
    const auto segments = split(path);
    if (!segments) return std::nullopt;
    const Node* node = &root_;
    for (const auto& segment : *segments) {
        const auto child = node->children.find(segment);
        if (child == node->children.end()) return std::nullopt;
        node = child->second.get();
    }
    return node->content;
}

// What LINK leads to in the end; null: nowhere. HOPS is what is left of them for the whole way.
const ArchiveTree::Node* ArchiveTree::follow(const Node& link, int& hops) const {
    if (--hops < 0 || link.link->starts_with('/')) return nullptr;
    const Node* node = link.parent;
    for (const auto& segment : segments_of(*link.link)) {
        if (segment == "..") {
            node = node->parent;
        } else {
            const auto child = node->children.find(segment);
            node = child == node->children.end() ? nullptr : child->second.get();
        }
        if (node != nullptr && node->link) node = follow(*node, hops);
        if (node == nullptr) return nullptr;
    }
    return node;
}

struct ArchiveTree::Walk {
    const ArchiveTree& tree;
    const std::function<void(const std::string&, std::size_t)>& found;
    const std::function<void(const std::string&, const std::string&)>& nowhere;
    std::size_t left;             // paths that may still be seen
    std::set<const Node*> above;  // directories that the walk is in

    // False: there are too many paths.
    bool into(const Node& directory, const std::string& prefix) {
        for (const auto& [name, child] : directory.children) {
            if (left-- == 0) return false;
            if (!visit(prefix + name, *child)) return false;
        }
        return true;
    }
    bool visit(const std::string& path, const Node& child) {
        int hops = kMaxHops;
        const Node* node = child.link ? tree.follow(child, hops) : &child;
        if (node == nullptr) {
            nowhere(path, "is a link to " + *child.link + ", which is not in the archive");
        } else if (node->content) {
            found(path, *node->content);
        } else if (above.size() == kMaxDepth) {
            nowhere(path, "lies too deep");
        } else if (!above.insert(node).second) {
            nowhere(path, "is a link that leads round in a circle");
        } else {
            const bool goes_on = into(*node, path + "/");
            above.erase(node);
            return goes_on;
        }
        return true;
    }
};

bool ArchiveTree::walk(
    std::size_t most, const std::function<void(const std::string& path, std::size_t content)>& found,
    const std::function<void(const std::string& path, const std::string& reason)>& nowhere) const {
    return Walk{*this, found, nowhere, most, {&root_}}.into(root_, "");
}

}  // namespace rouse::boot
