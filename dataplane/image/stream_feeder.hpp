#pragma once
// Keeps streams filled from their files; belongs to the image store's thread.

#include "dataplane/image/sealed_memory.hpp"
#include "dataplane/image/stream.hpp"
#include "shared/result.hpp"

#include <functional>
#include <string>
#include <vector>

namespace rouse::image {

class StreamFeeder {
  public:
    // At most `most_bytes` of memory are taken for rings; streams that find none left wait, first come, first
    // served.
    StreamFeeder(StreamTable& streams, std::string directory, std::uint64_t most_bytes,
                 std::function<void(const std::string&)> report);
    ~StreamFeeder();
    StreamFeeder(const StreamFeeder&) = delete;
    StreamFeeder& operator=(const StreamFeeder&) = delete;

    // A piece for each stream that has room for it. True when anything was read.
    bool round();
    // From now on. Rings that are taken stay so until their transfers end.
    void set_most(std::uint64_t bytes) noexcept { most_bytes_ = bytes; }

    // There is memory for streams at all.
    [[nodiscard]] bool is_possible() const noexcept { return most_bytes_ >= Stream::kBytes; }
    [[nodiscard]] std::size_t open() const noexcept { return open_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }  // for memory
    [[nodiscard]] std::uint64_t bytes_taken() const noexcept { return bytes_taken_; }
    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }  // ever

  private:
    struct Source {
        int fd = -1;
        SealedMemory ring{};
        std::string path{};
    };
    bool step(std::size_t index);
    bool begin_waiting();
    bool open_file(Stream& stream, Source& source);
    void begin(Stream& stream, Source& source);
    bool fill(Stream& stream, Source& source);
    void end(Source& source);
    void give_up(Stream& stream, Stream::State from, const Error& error);

    StreamTable& streams_;
    std::string directory_;
    std::uint64_t most_bytes_;
    std::function<void(const std::string&)> report_;
    std::vector<Source> sources_;       // one per stream
    std::vector<std::size_t> waiting_;  // streams without a ring, as of the last round
    std::size_t open_ = 0;
    std::uint64_t bytes_taken_ = 0;
    std::uint64_t bytes_read_ = 0;
};

}  // namespace rouse::image
