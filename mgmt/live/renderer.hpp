#pragma once
// Changes made into messages: the object as it is now, or the timeline's entries.

#include "mgmt/events/tables.hpp"
#include "mgmt/live/message.hpp"
#include "mgmt/store/store.hpp"
#include "shared/result.hpp"

#include <functional>
#include <map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::live {

// A document as clients may see it.
using Visible = std::function<nlohmann::json(const nlohmann::json& fields)>;

// One thread at a time.
class Renderer {
  public:
    // MEETS_ALL: every change is rendered here, so that machines' clusters can be remembered from one to the
    // next; see forget().
    Renderer(events::EventTables tables, Visible visible, bool meets_all = false)
        : tables_(tables), visible_(std::move(visible)), meets_all_(meets_all) {}

    // Appends to INTO what CHANGE is told by: a message, for a timeline one for each new entry (only the
    // newest when the change does not say which are new), none for what nobody hears of.
    Result<void> render(const store::View& view, const store::Change& change, std::vector<MessagePtr>& into);
    // Some changes were not rendered here.
    void forget() { clusters_.clear(); }

  private:
    Result<void> render_timeline(const store::View& view, const store::Change& change,
                                 std::vector<MessagePtr>& into);
    [[nodiscard]] Result<store::Id> cluster_of(const store::View& view, const store::Id& machine);

    events::EventTables tables_;
    Visible visible_;
    bool meets_all_;
    std::map<store::Id, store::Id> clusters_;  // by machine
};

}  // namespace rouse::live
