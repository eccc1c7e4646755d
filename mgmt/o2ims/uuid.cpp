#include "mgmt/o2ims/uuid.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <openssl/sha.h>

namespace rouse::o2ims {

store::Id named_id(const store::Id& space, std::string_view name) {
    std::string text(space.octets.begin(), space.octets.end());
    text.append(name);
    std::array<unsigned char, SHA_DIGEST_LENGTH> hash;
    ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    store::Id out;
    std::copy_n(hash.begin(), out.octets.size(), out.octets.begin());
    out.octets[6] = static_cast<std::uint8_t>((out.octets[6] & 0x0f) | 0x50);  // version
    out.octets[8] = static_cast<std::uint8_t>((out.octets[8] & 0x3f) | 0x80);  // variant
    return out;
}

}  // namespace rouse::o2ims
