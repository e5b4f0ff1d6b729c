#pragma once

#include "net/frame_source.hpp"

#include <deque>
#include <string>
#include <utility>

namespace canang::test {

/// A source of pieces that are known before. Notes how many were asked for, and that it is gone.
class list_source final : public net::frame_source {
public:
  struct log {
    int asked = 0;
    bool is_gone = false;
  };

  list_source(net::buffer_pool& pool, std::deque<std::string> pieces, log* seen = nullptr)
    : pool_(pool), pieces_(std::move(pieces)), seen_(seen) {}

  ~list_source() override {
    if (seen_ != nullptr)
      seen_->is_gone = true;
  }

  net::frame_buffer_ptr next() override {
    if (seen_ != nullptr)
      ++seen_->asked;
    if (pieces_.empty())
      return nullptr;
    auto piece = pool_.make(pieces_.front());
    pieces_.pop_front();
    return piece;
  }

  [[nodiscard]] std::size_t pinned_bytes() const noexcept override { return 1000; }

private:
  net::buffer_pool& pool_;
  std::deque<std::string> pieces_;
  log* seen_;
};

} // namespace canang::test
