#pragma once

#include "cluster/memory/memory_broker.hpp"
#include "tests/support/seeds.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::sim {

/// The memory broker with a record of all that it stored, by which clients are judged, and with
/// faults on demand.
class sim_broker final : public cluster::broker {
public:
  using clock = cluster::memory_broker::clock;

  sim_broker(std::function<clock::time_point()> now, const cluster::room_settings& rooms);

  [[nodiscard]] std::unique_ptr<cluster::room_channel>
  open(std::string_view room, cluster::room_subscriber& subscriber) override;
  void publish(std::string_view room, std::shared_ptr<cluster::publication> message,
               const cluster::publish_options& options, cluster::publish_handler handler) override;
  void history(std::string_view room, const cluster::history_request& request,
               cluster::history_handler handler) override {
    inner_.history(room, request, std::move(handler));
  }
  void remove_history(std::string_view room, cluster::removal_handler handler) override {
    inner_.remove_history(room, std::move(handler));
  }
  void report(std::string_view room, bool with_members, cluster::report_handler handler) override {
    inner_.report(room, with_members, std::move(handler));
  }
  void list(const cluster::room_list_request& wanted, cluster::room_list_handler handler) override {
    inner_.list(wanted, std::move(handler));
  }

  void expire() { inner_.expire(); }

  [[nodiscard]] cluster::room_keeper& keeper() noexcept { return inner_; }

  /// All publications of a room that were ever stored, oldest first.
  [[nodiscard]] const std::vector<cluster::publication_ptr>& record(std::string_view room) const;

  /// The room's next call throws, or answers that the broker is away.
  void throw_at_next_publish(std::string_view room) { throws_at_publish_ = room; }
  void throw_at_next_history(std::string_view room) { throws_at_history_ = room; }
  void refuse_next_history(std::string_view room) { refuses_history_ = room; }

  /// Publishes in the room wait from now on, as while Redis is away, and then are stored, or fail.
  void hold_publishes(std::string_view room) { holds_publishes_ = room; }
  void end_hold(bool are_lost);

  /// From now on some answers about histories come when the simulation wants it.
  void delay_answers(chance& any) { delays_ = &any; }
  [[nodiscard]] bool has_pending() const noexcept { return !pending_.empty(); }

  /// Gives the answer that waits longest.
  void run();

  [[nodiscard]] std::size_t subscribers() const noexcept { return subscribers_; }

private:
  class channel;

  struct pending_answer {
    channel* of;
    cluster::recover_request request;
    cluster::page_handler handler;
  };

  /// Of the room of a channel, or from outside.
  struct held_publish {
    const channel* of; // or null
    std::function<void(bool is_lost)> end;
  };

  [[nodiscard]] bool holds(std::string_view room) const noexcept {
    return !holds_publishes_.empty() && holds_publishes_ == room;
  }
  void record_or_throw(std::string_view room, const std::shared_ptr<cluster::publication>& message);

  cluster::room_settings_source settings_;
  cluster::memory_broker inner_;
  std::map<std::string, std::vector<cluster::publication_ptr>, std::less<>> record_;
  std::string throws_at_publish_;
  std::string throws_at_history_;
  std::string refuses_history_;
  std::deque<pending_answer> pending_;
  std::string holds_publishes_;
  std::deque<held_publish> held_;
  chance* delays_ = nullptr;
  std::size_t subscribers_ = 0;
};

} // namespace canang::sim
