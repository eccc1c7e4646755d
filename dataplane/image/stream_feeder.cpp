#include "dataplane/image/stream_feeder.hpp"

#include "dataplane/image/image_file.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rouse::image {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;  // well below a millisecond from the page cache

}  // namespace

StreamFeeder::StreamFeeder(StreamTable& streams, std::string directory, std::uint64_t most_bytes,
                           std::function<void(const std::string&)> report)
    : streams_(streams),
      directory_(std::move(directory)),
      most_bytes_(most_bytes),
      report_(std::move(report)),
      sources_(streams.all().size()) {
    waiting_.reserve(sources_.size());
}

StreamFeeder::~StreamFeeder() {
    for (Source& source : sources_) end(source);
}

bool StreamFeeder::round() {
    bool is_busy = false;
    waiting_.clear();
    for (std::size_t i = 0; i < sources_.size(); ++i) is_busy |= step(i);
    return begin_waiting() || is_busy;
}

bool StreamFeeder::step(std::size_t index) {
    Stream& stream = streams_.all()[index];
    Source& source = sources_[index];
    switch (stream.state()) {
        case Stream::State::wanted:
            waiting_.push_back(index);
            return false;
        case Stream::State::flowing:
            return fill(stream, source);
        case Stream::State::released:
            end(source);
            stream.set_free();
            return false;
        case Stream::State::free:
        case Stream::State::taken:
        case Stream::State::gone:
            return false;
    }
    return false;
}

// Those that have waited longest first. Their files are opened at once: a transfer keeps the content that it
// asked for, whatever becomes of its name while it waits.
bool StreamFeeder::begin_waiting() {
    const std::size_t open = open_;
    std::ranges::sort(waiting_, {}, [this](std::size_t i) { return streams_.all()[i].ticket(); });
    std::erase_if(waiting_, [this](std::size_t i) {
        Stream& stream = streams_.all()[i];
        if (!open_file(stream, sources_[i])) return true;
        if (bytes_taken_ + Stream::kBytes > most_bytes_) return false;
        begin(stream, sources_[i]);
        return true;
    });
    return open_ != open;
}

bool StreamFeeder::open_file(Stream& stream, Source& source) {
    if (source.fd >= 0) return true;
    source.path = image_path(directory_, stream.hash());
    source.fd = ::open(source.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (source.fd < 0) {
        give_up(stream, Stream::State::wanted,
                fail_errno("cannot open the image " + source.path + ", upload it again").value());
        return false;
    }
    ::posix_fadvise(source.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

void StreamFeeder::begin(Stream& stream, Source& source) {
    auto ring = SealedMemory::allocate(Stream::kBytes);
    if (!ring) {
        give_up(stream, Stream::State::wanted, ring.error());
        return;
    }
    source.ring = std::move(*ring);
    // Every page is there before the worker reads one.
    std::ranges::fill(source.ring.room(), std::byte{0});
    if (::mlock(source.ring.room().data(), source.ring.room().size()) != 0) report_(kCannotLock);
    bytes_taken_ += Stream::kBytes;
    ++open_;
    stream.start(source.ring.room().data());
}

bool StreamFeeder::fill(Stream& stream, Source& source) {
    const std::uint64_t filled = stream.filled();
    const std::uint64_t room_ends = stream.room_ends();
    if (filled >= room_ends) return false;
    const std::size_t at = filled % Stream::kBytes;
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>({kPieceBytes, room_ends - filled, Stream::kBytes - at}));
    const ssize_t got =
        ::pread(source.fd, source.ring.room().data() + at, wanted, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) return true;
    if (got < 0) {
        give_up(stream, Stream::State::flowing, fail_errno("cannot read the image " + source.path).value());
        return false;
    }
    if (got == 0) {
        give_up(stream, Stream::State::flowing,
                Error{"the image " + source.path + " was cut short, upload it again"});
        return false;
    }
    bytes_read_ += static_cast<std::uint64_t>(got);
    stream.add_filled(static_cast<std::uint64_t>(got));
    return true;
}

// The transfer is told by its next read; what it holds goes when it releases the stream.
void StreamFeeder::give_up(Stream& stream, Stream::State from, const Error& error) {
    stream.stop(from);
    report_(error.message);
}

void StreamFeeder::end(Source& source) {
    if (source.fd >= 0) ::close(source.fd);
    if (source.ring.footprint() > 0) {
        bytes_taken_ -= Stream::kBytes;
        --open_;
    }
    source = {};
}

}  // namespace rouse::image
