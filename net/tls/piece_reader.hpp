#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace canang::net {

/// What one record of TLS carries at most (RFC 8446, 5.1).
inline constexpr std::size_t tls_record_bytes = std::size_t{16} * 1024;

/// Takes pieces that are to be written a record at a time: small ones share it. Looks at the pieces, and lives, only
/// during one write.
class piece_reader {
public:
  piece_reader(const iovec* pieces, std::size_t count) : pieces_(pieces), count_(count) {}

  /// The next bytes, which lie in `joined` where they are of several pieces; none at the end.
  std::span<const char> take(std::span<char, tls_record_bytes> joined) {
    skip_empty();
    const auto first = of_piece(tls_record_bytes);
    if (first.size() == tls_record_bytes || count_ == 0)
      return first;
    std::memcpy(joined.data(), first.data(), first.size());
    auto size = first.size();
    while (count_ > 0 && size < tls_record_bytes) {
      const auto more = of_piece(tls_record_bytes - size);
      std::memcpy(joined.data() + size, more.data(), more.size());
      size += more.size();
    }
    return joined.first(size);
  }

private:
  void skip_empty() {
    for (; count_ > 0 && pieces_->iov_len == 0; ++pieces_)
      --count_;
  }

  /// At most so many of the first piece, which goes with its last one.
  std::span<const char> of_piece(std::size_t most) {
    if (count_ == 0)
      return {};
    const auto* const from = static_cast<const char*>(pieces_->iov_base) + done_;
    const auto size = std::min(pieces_->iov_len - done_, most);
    done_ += size;
    if (done_ == pieces_->iov_len) {
      ++pieces_;
      --count_;
      done_ = 0;
      skip_empty();
    }
    return {from, size};
  }

  const iovec* pieces_;
  std::size_t count_;
  std::size_t done_ = 0; // of the first
};

} // namespace canang::net
