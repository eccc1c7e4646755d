#include "mgmt/store/copy.hpp"

namespace rouse::store {

Result<void> copy_store(const Store& store, int descriptor) {
    const int code = mdb_env_copyfd2(store.environment().raw(), descriptor, MDB_CP_COMPACT);
    if (code != 0) return fail(std::string("cannot copy the store: ") + mdb_strerror(code));
    return {};
}

}  // namespace rouse::store
