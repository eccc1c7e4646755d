#pragma once
// The image catalogue: names, and the contents they stand for. A content is stored once, under its hash,
// however many names it has; a name can be re-pointed while transfers of the old content finish.

#include "mgmt/boot/retired.hpp"
#include "mgmt/boot/upload.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"
#include "mgmt/store/writer.hpp"
#include "shared/addresses.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rouse::boot {

class Catalogue {
  public:
    // IMAGES_DIR is created when missing. Undoes what a crash left half done: temporary files and contents
    // that were never named go, contents whose collection was not committed come back. Before the API
    // listens.
    [[nodiscard]] static Result<Catalogue> open(std::string images_dir, store::Writer& writer);

    [[nodiscard]] const std::string& images_dir() const noexcept { return images_dir_; }
    [[nodiscard]] std::string path_of(const store::Sha256& hash) const;

    // Inside an operation of the Writer: NAME stands for CONTENT from now on. The image's document, and
    // whether the name is new. A failure of kind `gone` means that the content's file was collected in the
    // last instant: publish it again and repeat.
    struct Named {
        store::Document image;
        bool created = false;
    };
    [[nodiscard]] Outcome<Named> name(store::Batch& batch, std::string_view name,
                                      const Content& content) const;
    // The same for an image that another appliance named: its document as it is, its content here already.
    [[nodiscard]] Outcome<void> adopt(store::Batch& batch, const store::Document& image) const;
    // Inside an operation of the Writer. True if it was there.
    [[nodiscard]] Outcome<bool> remove(store::Batch& batch, std::string_view name) const;

    // Removes contents and rendered files whose time has come; every minute or so, on any thread that may
    // wait. Returns how many images' files went: a good many at most, so repeat it until none does.
    [[nodiscard]] Outcome<std::size_t> collect(store::Writer& writer, Collect which = Collect::due) const;

  private:
    // Tells the dataplane what NAME stands for.
    [[nodiscard]] Outcome<void> point(store::Batch& batch, std::string_view name,
                                      const Content& content) const;
    explicit Catalogue(std::string images_dir) : images_dir_(std::move(images_dir)) {}
    Result<void> remove_leftovers(const store::View& view) const;
    // Where a content's file is between its collection and its end.
    [[nodiscard]] std::string trash_of(const store::Sha256& hash) const;
    std::string images_dir_;
};

// What a machine gets for a name: its own file, else its profile's, else everybody's; its size as the machine
// sees it.
[[nodiscard]] Result<std::optional<store::NameRecord>> resolve(const store::View& view, const MacAddress& mac,
                                                               const store::HostRecord& host,
                                                               std::string_view name);
// The bytes of a name of kind rendered or framed, as the machine sees it; nothing when they are gone.
[[nodiscard]] Result<std::optional<std::string>> read_text(const store::View& view,
                                                           const store::HostRecord& host,
                                                           const store::NameRecord& name);

}  // namespace rouse::boot
