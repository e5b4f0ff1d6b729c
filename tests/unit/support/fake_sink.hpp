#pragma once

#include "net/outbox.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace canang::test {

inline constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

/// A socket that takes so much a call, and fails at one of them.
class fake_sink final : public net::byte_sink {
public:
  std::size_t a_call = no_limit; ///< bytes that a call takes
  int fails_at = -1;             ///< the call that fails, counted from 0
  int calls = 0;
  std::size_t most_pieces = 0;
  std::string got;

  std::size_t write_some(const iovec* pieces, std::size_t count,
                         boost::system::error_code& ec) override {
    most_pieces = std::max(most_pieces, count);
    if (calls++ == fails_at) {
      ec = boost::system::errc::make_error_code(boost::system::errc::broken_pipe);
      return 0;
    }
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count && taken < a_call; ++i) {
      const auto size = std::min(pieces[i].iov_len, a_call - taken);
      got.append(static_cast<const char*>(pieces[i].iov_base), size);
      taken += size;
    }
    return taken;
  }
};

} // namespace canang::test
