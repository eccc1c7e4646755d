#pragma once
// Changes of the inventory as notifications (InventoryChangeNotification). What subscribers know of each
// object is stored; whatever the inventory has otherwise is told, in the transaction that stores it. So
// nothing is lost while we are not running, and priorObjectState is what they were told before. Several
// changes of an object that follow each other closely are told as one.

#include "mgmt/o2ims/cloud.hpp"
#include "mgmt/o2ims/delivery.hpp"
#include "mgmt/o2ims/inventory.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rouse::o2ims {

class InventoryEvents {
  public:
    // All outlive this.
    InventoryEvents(store::Writer& writer, Inventory& inventory, Delivery& delivery);
    ~InventoryEvents();  // like stop()
    InventoryEvents(const InventoryEvents&) = delete;
    InventoryEvents& operator=(const InventoryEvents&) = delete;

    void start();
    void stop();
    // What the thread does again and again: tells of what has changed since. For tests.
    [[nodiscard]] Result<void> turn();

  private:
    struct Object {
        std::string kind;  // "ResourceInfo"
        std::string id;
        std::string now;  // JSON; empty: it is gone
    };
    struct Told {
        std::string key;  // in the table
        std::string now;
        Notification notification;
    };
    void loop();
    [[nodiscard]] Result<bool> has_begun();
    [[nodiscard]] Result<void> look(std::vector<Object>& out, bool all);
    [[nodiscard]] Result<void> add_forgotten(std::vector<Object>& out);
    [[nodiscard]] Result<void> tell(const std::vector<Object>& objects, bool is_baseline);
    [[nodiscard]] std::string body_of(const Object& object, const std::string& before) const;
    [[nodiscard]] std::string reference(const Object& object, const nlohmann::json& state) const;

    store::Writer* writer_;
    Inventory* inventory_;
    Delivery* delivery_;
    bool is_first_ = true;  // turn of this process: anything may have changed before
    store::ChangeHub::Subscription changes_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_due_ = true;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rouse::o2ims
