#pragma once
// An image's content from the centre into the images' directory: resumed where an earlier try stopped, its
// SHA-256 compared before anything is named after it, durable before it is published. Blocking.

#include "mgmt/boot/catalogue.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/workers/centre_link.hpp"
#include "shared/result.hpp"

#include <string>

namespace rouse::workers {

// Success: the content of IMAGE is in place. PATH: of the contents at the centre, to which the hash is added.
[[nodiscard]] Result<void> fetch_image(CentreLink& link, const std::string& token, const std::string& path,
                                       const boot::Catalogue& catalogue, const store::Document& image);
// Removes what interrupted tries left, when nothing is wanted any more.
void remove_parts(const boot::Catalogue& catalogue);

}  // namespace rouse::workers
