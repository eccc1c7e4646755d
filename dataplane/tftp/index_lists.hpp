#pragma once
// Doubly linked lists over indices, without allocation: node i is session i. A node is in one list at most.

#include "dataplane/tftp/prefetch.hpp"

#include <cstdint>
#include <vector>

namespace rouse::tftp {

class IndexLists {
  public:
    // Nodes 0 to nodes - 1, lists 0 to lists - 1. Heads are nodes behind the others, so that no operation has
    // a special case.
    IndexLists(std::uint32_t nodes, std::uint32_t lists) : nodes_(nodes), links_(std::size_t{nodes} + lists) {
        for (std::uint32_t i = 0; i < links_.size(); ++i) links_[i] = {i, i};
    }

    [[nodiscard]] bool empty(std::uint32_t list) const noexcept { return !linked(nodes_ + list); }
    [[nodiscard]] bool linked(std::uint32_t node) const noexcept { return links_[node].next != node; }
    // First node of a list that is not empty.
    [[nodiscard]] std::uint32_t front(std::uint32_t list) const noexcept {
        return links_[nodes_ + list].next;
    }

    void prefetch(std::uint32_t node) const noexcept { prefetch_lines(&links_[node], sizeof(Link)); }

    void push_back(std::uint32_t list, std::uint32_t node) noexcept {
        const std::uint32_t head = nodes_ + list;
        const std::uint32_t last = links_[head].previous;
        links_[node] = {last, head};
        links_[last].next = node;
        links_[head].previous = node;
    }
    // Out of whatever list it is in; nothing happens when it is in none.
    void remove(std::uint32_t node) noexcept {
        const Link link = links_[node];
        links_[link.previous].next = link.next;
        links_[link.next].previous = link.previous;
        links_[node] = {node, node};
    }
    // Appends all of `from` to `to`, in order; `from` is empty then.
    void splice(std::uint32_t to, std::uint32_t from) noexcept {
        if (empty(from)) return;
        const Link moved = links_[nodes_ + from];
        const std::uint32_t head = nodes_ + to;
        const std::uint32_t last = links_[head].previous;
        links_[last].next = moved.next;
        links_[moved.next].previous = last;
        links_[moved.previous].next = head;
        links_[head].previous = moved.previous;
        links_[nodes_ + from] = {nodes_ + from, nodes_ + from};
    }

  private:
    struct Link {
        std::uint32_t previous = 0;
        std::uint32_t next = 0;
    };
    std::uint32_t nodes_;
    std::vector<Link> links_;
};

}  // namespace rouse::tftp
