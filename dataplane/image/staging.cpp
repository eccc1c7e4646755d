#include "dataplane/image/staging.hpp"

#include <algorithm>

namespace rouse::image {

Result<std::unique_ptr<Staging>> Staging::begin(const std::string& path, std::uint64_t size,
                                                const store::Sha256& hash) {
    auto file = ImageFile::open(path, size, hash);
    if (!file) return tl::unexpected(file.error());
    auto memory = SealedMemory::allocate(size);
    if (!memory) return tl::unexpected(memory.error());
    return std::unique_ptr<Staging>(new Staging(std::move(*file), std::move(*memory)));
}

Result<bool> Staging::step(std::size_t most) {
    const std::span<std::byte> room = memory_.room().last(file_->left());
    if (auto read = file_->read(room.first(std::min(most, room.size()))); !read)
        return tl::unexpected(read.error());
    if (file_->left() > 0) return false;
    if (auto proven = file_->prove(); !proven) return tl::unexpected(proven.error());
    if (auto sealed = memory_.seal(); !sealed) return tl::unexpected(sealed.error());
    return true;
}

Result<std::unique_ptr<Proof>> Proof::begin(const std::string& path, std::uint64_t size,
                                            const store::Sha256& hash) {
    auto file = ImageFile::open(path, size, hash);
    if (!file) return tl::unexpected(file.error());
    return std::unique_ptr<Proof>(new Proof(std::move(*file)));
}

Result<bool> Proof::step(std::size_t most) {
    piece_.resize(std::min<std::uint64_t>(most, file_->left()));
    if (auto read = file_->read(piece_); !read) return tl::unexpected(read.error());
    if (file_->left() > 0) return false;
    if (auto proven = file_->prove(); !proven) return tl::unexpected(proven.error());
    return true;
}

}  // namespace rouse::image
