#pragma once

#include "net/session.hpp"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace canang::test {

/// A session that notes what is done to it. Its client takes everything at once, unless it is full: then what is
/// sent waits until the test has it taken.
class fake_session final : public net::session {
public:
  std::string address;            ///< and port, of its client
  std::string got;                ///< bytes taken, in order
  std::vector<std::size_t> sends; ///< sizes of the sends that were taken
  std::size_t writes = 0;         ///< calls that wrote something
  std::uint32_t lane_number = net::send_lanes::none;
  std::size_t takes_bytes = SIZE_MAX; ///< once over it, the session is a slow consumer
  std::vector<std::uint16_t> close_codes;
  std::vector<net::close_reason> aborts;
  std::vector<clock::time_point> pings; ///< by the clock that `now` points to
  const clock::time_point* now = nullptr;
  clock::time_point heard{};
  int opens = 0;
  int refusals = 0;
  bool is_over = false;
  bool wants_pings = false;
  bool is_full = false;

  void attach(std::unique_ptr<net::session_handler>) override {}
  void open() override { ++opens; }
  [[nodiscard]] bool is_open() const noexcept override { return opens > 0 && !is_over; }

  [[nodiscard]] std::uint32_t lane() const noexcept override { return lane_number; }

  std::size_t send_slices(std::span<const net::frame_slice> slices) override {
    const auto before = writes;
    const auto taken = session::send_slices(slices);
    writes = before + 1;
    return taken;
  }

  net::send_status send(const net::frame_buffer_ptr& buffer, std::size_t from,
                        std::size_t to) override {
    if (!is_open())
      return net::send_status::dropped;
    ++writes;
    if (got.size() + (to - from) > takes_bytes) {
      close(1008, "slow consumer", net::close_reason::slow_consumer);
      return net::send_status::dropped;
    }
    if (has_waiting() || is_full) {
      waiting_.push_back({nullptr, std::string{buffer->data() + from, to - from}});
      return net::send_status::queued;
    }
    got.append(buffer->data() + from, to - from);
    sends.push_back(to - from);
    return net::send_status::sent;
  }

  net::send_status send_reply(const net::frame_buffer_ptr& head,
                              net::frame_source_ptr rest) override {
    if (!is_open())
      return net::send_status::dropped;
    if (head->size() > 0 && (has_waiting() || is_full))
      waiting_.push_back({nullptr, std::string{head->data(), head->size()}});
    else
      got.append(head->data(), head->size());
    if (rest)
      waiting_.push_back({std::move(rest), {}});
    if (!is_full)
      take_all();
    return has_waiting() ? net::send_status::queued : net::send_status::sent;
  }

  [[nodiscard]] bool has_waiting() const noexcept override { return !waiting_.empty(); }

  /// The client takes what is first of what waits: a piece, or all that was sent at once.
  void take() {
    auto& first = waiting_.front();
    if (first.source) {
      if (const auto piece = first.source->next()) {
        got.append(piece->data(), piece->size());
        return;
      }
    }
    got += first.bytes;
    waiting_.pop_front();
  }

  void take_all() {
    while (has_waiting())
      take();
  }

  /// The connection is gone, and what waits with it.
  void drop_waiting() { waiting_.clear(); }

  void refuse(net::reject_reason) override {
    if (opens > 0 || is_over)
      return;
    ++refusals;
    is_over = true;
  }

  void pause_reading(bool) override {}

  void close(std::uint16_t code, std::string_view, net::close_reason) override {
    close_codes.push_back(code);
    is_over = true;
  }

  void abort(net::close_reason reason) override {
    aborts.push_back(reason);
    is_over = true;
  }

  [[nodiscard]] clock::time_point last_heard() const noexcept override { return heard; }

  [[nodiscard]] std::string peer() const override { return address; }
  [[nodiscard]] bool expects_pings() const noexcept override { return wants_pings; }

  void ping() override {
    if (now != nullptr)
      pings.push_back(*now);
  }

private:
  struct waiting {
    net::frame_source_ptr source; // or null
    std::string bytes;
  };

  std::deque<waiting> waiting_;
};

using fake_session_ptr = boost::intrusive_ptr<fake_session>;

inline fake_session_ptr make_fake_session() { return fake_session_ptr{new fake_session}; }

} // namespace canang::test
