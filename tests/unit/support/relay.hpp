#pragma once

#include "cluster/redis/connection.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

/// Stands between a node and its Redis, on the io_context of the test, and can lose an answer or hold all of
/// them back: Redis has done what it was told, and the node does not hear of it, or hears of it late.
class relay {
public:
  relay(boost::asio::io_context& io, std::uint16_t target)
    : io_(io),
      target_(target),
      acceptor_(io.get_executor(), {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }

  /// The link that next carries `what` ends when Redis answers.
  void lose_answer_to(std::string_view what) { state_->loses = what; }

  /// Until `let_go`.
  void hold_answers() { state_->holds = true; }

  /// Likewise, from the next time on that a link carries `what`, but for one whose answer is lost.
  void hold_answers_from(std::string_view what) { state_->holds_from = what; }

  void let_go() {
    state_->holds = false;
    for (const auto& link : std::exchange(state_->held, {}))
      hand_down(state_, link);
  }

  /// Whether some wait here.
  [[nodiscard]] bool is_holding() const noexcept { return !state_->held.empty(); }

  /// Whether the answer has been lost.
  [[nodiscard]] bool has_lost() const noexcept { return state_->has_lost; }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
  using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, cluster::redis_executor>;
  using code = boost::system::error_code;
  struct link;
  using link_ptr = std::shared_ptr<link>;

  /// Held by the links too: they go on for as long as the io_context runs, also without the relay.
  struct state {
    std::string loses;
    std::string holds_from;
    bool has_lost = false;
    bool holds = false;
    std::vector<link_ptr> held; ///< whose answers wait at Redis
  };
  using state_ptr = std::shared_ptr<state>;

  struct link {
    link(socket&& accepted, boost::asio::io_context& io)
      : near(std::move(accepted)), far(io.get_executor()) {}
    socket near;
    socket far;
    std::array<char, 65'536> up{};
    std::array<char, 65'536> down{};
    std::size_t unread = 0; ///< of `down`
    bool is_last_answer = false;

    void end() {
      code ignored;
      near.close(ignored);
      far.close(ignored);
    }
  };

  void accept() {
    acceptor_.async_accept([this](const code& ec, socket accepted) {
      if (ec)
        return;
      accept();
      const auto made = std::make_shared<link>(std::move(accepted), io_);
      code refused;
      made->far.connect({boost::asio::ip::address_v4::loopback(), target_}, refused);
      if (refused)
        return;
      carry_up(state_, made);
      carry_down(state_, made);
    });
  }

  static void carry_up(const state_ptr& all, const link_ptr& on) {
    on->near.async_read_some(boost::asio::buffer(on->up), [all, on](code ec, std::size_t size) {
      if (!ec) {
        const std::string_view sent{on->up.data(), size};
        const auto carries = [&](const std::string& what) {
          return !what.empty() && sent.find(what) != std::string::npos;
        };
        if (carries(all->loses))
          on->is_last_answer = true, all->loses.clear();
        else if (!on->is_last_answer && carries(all->holds_from))
          all->holds = true, all->holds_from.clear();
        boost::asio::write(on->far, boost::asio::buffer(on->up, size), ec);
      }
      if (ec)
        on->end();
      else
        carry_up(all, on);
    });
  }

  static void carry_down(const state_ptr& all, const link_ptr& on) {
    on->far.async_read_some(boost::asio::buffer(on->down), [all, on](code ec, std::size_t size) {
      on->unread = size;
      all->has_lost |= on->is_last_answer;
      if (ec)
        on->end();
      else if (all->holds)
        all->held.push_back(on);
      else
        hand_down(all, on);
    });
  }

  static void hand_down(const state_ptr& all, const link_ptr& on) {
    code ec;
    if (!on->is_last_answer)
      boost::asio::write(on->near, boost::asio::buffer(on->down, on->unread), ec);
    if (ec || on->is_last_answer)
      on->end();
    else
      carry_down(all, on);
  }

  boost::asio::io_context& io_;
  std::uint16_t target_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, cluster::redis_executor> acceptor_;
  state_ptr state_ = std::make_shared<state>();
};

} // namespace canang::test
