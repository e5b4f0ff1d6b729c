#include "net/tls/handshake_gate.hpp"

namespace canang::net {

bool handshake_gate::has_time() {
  const auto now = clock::now();
  if (now - period_began_ >= period_) {
    period_began_ = now;
    spent_ = {};
  }
  return spent_ < tls_handshake_share;
}

void handshake_gate::enter(std::function<void()> go) {
  if (waiting_.empty() && has_time()) {
    go();
    return;
  }
  waiting_.push_back(std::move(go));
  await_period();
}

void handshake_gate::await_period() {
  if (is_awaited_)
    return;
  is_awaited_ = true;
  timer_.expires_at(period_began_ + period_);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec) // it has gone
      return;
    is_awaited_ = false;
    let_in();
  });
}

void handshake_gate::let_in() {
  while (!waiting_.empty() && has_time()) {
    const auto go = std::move(waiting_.front());
    waiting_.pop_front();
    go();
  }
  if (!waiting_.empty())
    await_period();
}

} // namespace canang::net
