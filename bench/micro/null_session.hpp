#pragma once

#include "net/session.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace canang::bench {

/// A session that takes everything at no cost, so that what is left is the cost of getting there.
class null_session final : public net::session {
public:
  void attach(std::unique_ptr<net::session_handler>) override {}
  void open() override {}
  [[nodiscard]] bool is_open() const noexcept override { return true; }
  net::send_status send(const net::frame_buffer_ptr&, std::size_t from, std::size_t to) override {
    taken_bytes += to - from;
    return net::send_status::sent;
  }
  void refuse(net::reject_reason) override {}
  net::send_status send_reply(const net::frame_buffer_ptr& head,
                              net::frame_source_ptr rest) override {
    for (net::frame_buffer_ptr piece; rest && (piece = rest->next());)
      taken_bytes += piece->size();
    return send(head, 0, head->size());
  }
  void pause_reading(bool) override {}
  void close(std::uint16_t, std::string_view, net::close_reason) override {}
  void abort(net::close_reason) override {}
  [[nodiscard]] clock::time_point last_heard() const noexcept override { return {}; }
  [[nodiscard]] std::string peer() const override { return {}; }
  void ping() override {}

  std::size_t taken_bytes = 0;
};

} // namespace canang::bench
