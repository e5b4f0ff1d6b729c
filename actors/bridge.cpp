#include "actors/bridge.hpp"

#include "actors/interfaces.hpp"

#include <boost/asio/post.hpp>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

namespace canang::actors {

/// Where the broker tells one room something: sends it on. What one read of Redis brought to a room
/// goes in one message.
class bridge::port final : public cluster::room_subscriber,
                           public std::enable_shared_from_this<port> {
public:
  port(bridge& owner, std::string_view name, caf::actor room)
    : owner_(owner), home_(home_of(name, owner.cast_.size())), room_(std::move(room)) {}

  void on_publication(const cluster::publication_ptr& message) override {
    if (gathered_.empty())
      owner_.flush_soon(*this);
    gathered_.push_back(message);
  }

  void on_published(const cluster::publish_outcome& outcome) override {
    caf::anon_send(room_, bridge_outcome{outcome});
  }

  void on_break(const cluster::position& from, bool is_lost) override {
    flush();
    caf::anon_send(room_, bridge_break{from, is_lost});
  }

  void on_page(std::uint64_t request, cluster::history_page&& page) {
    flush();
    caf::anon_send(room_, bridge_page{request, std::move(page)});
  }

  void flush() {
    if (gathered_.empty())
      return;
    std::uint64_t bytes = 0;
    for (const auto& message : gathered_)
      bytes += cost_in_flight(*message);
    auto share = std::make_shared<const backlog_share>(owner_.cast_[home_].backlog, bytes);
    caf::anon_send(room_, bridge_publications{std::exchange(gathered_, {}), std::move(share)});
  }

  void open(std::string_view room) { channel_ = owner_.broker_.open(room, *this); }
  void close() { channel_.reset(); }
  [[nodiscard]] cluster::room_channel& channel() noexcept { return *channel_; }

private:
  bridge& owner_;
  std::uint32_t home_; // the room's loop
  std::unique_ptr<cluster::room_channel> channel_;
  caf::actor room_;
  std::vector<cluster::publication_ptr> gathered_;
};

bridge::bridge(caf::actor_config& config, boost::asio::io_context& io, bridge_parts parts,
               const node_cast& cast, std::function<std::chrono::steady_clock::time_point()> now)
  : pinned(config),
    io_(io),
    broker_(io, std::move(parts.target), parts.links, parts.rooms, parts.node, parts.settings,
            parts.presence, parts.status.metrics, now),
    status_(parts.status),
    moderation_(parts.moderation),
    cast_(cast),
    lags_(cast.size()) {
  broker_.write_notes(false); // before it is known who reads them
  broker_.on_roster(std::move(parts.describe_node), [this, now = std::move(now)](
                                                      cluster::redis_roster::roster&& living) {
    broker_.write_notes(notes_.all_read(living, now()));
    status_.roster.store(std::make_shared<const cluster::redis_roster::roster>(std::move(living)));
  });
}

caf::behavior bridge::make_behavior() {
  broker_.on_batch_end([this] { flush_ports(); });
  broker_.start();
  return interfaces::bridge::behavior_type{
    [this](bridge_open& request) { on_open(request); },
    [this](const bridge_close& request) { on_close(request.room); },
    [this](bridge_publish& request) {
      if (auto* const from = find(request.room))
        from->channel().publish(std::move(request.message), request.idempotency_key);
    },
    [this](bridge_recover& request) { on_recover(request); },
    [this](const bridge_member& change) {
      if (auto* const from = find(change.room))
        from->channel().note_member(change.who, change.is_here);
    },
    [this](publish_to_room& request) {
      broker_.publish(
        request.room, std::move(request.message),
        {.idempotency_key = request.idempotency_key, .skip_history = request.skip_history},
        std::move(request.answer));
    },
    [this](history_query& query) {
      broker_.history(query.room, query.wanted, std::move(query.answer));
    },
    [this](history_removal& order) { broker_.remove_history(order.room, std::move(order.answer)); },
    [this](room_list_query& query) { broker_.list(query.wanted, std::move(query.answer)); },
    [this](room_query& query) {
      broker_.report(query.room, query.with_members, std::move(query.answer));
    },
    [this](const bridge_control& order) { on_control(order); },
    [this](const bridge_carry& order) { on_carry(order); },
    [this](const bridge_write_acts& order) { on_write_acts(order); },
    [this](const bridge_reread_acts& order) { on_reread_acts(order.ticket); },
    [this](const shed_memory& order) { broker_.shed(order.bytes); },
    [this](const hub_reached& answer) { on_reached(answer.loop); },
    [this](const bridge_leave&) { broker_.leave([this] { status_.has_left = true; }); },
    [this](const tick&) { broker_.tick(); },
  }
    .unbox();
}

void bridge::on_exit() {
  is_over_ = true;
  control_ = nullptr;
  changed_.clear();
  ports_.clear();
  broker_.stop();
}

bridge::port* bridge::find(room_id room) {
  const auto found = ports_.find(room);
  return found == ports_.end() ? nullptr : found->second.get();
}

void bridge::on_open(bridge_open& request) {
  const auto id = request.subscriber.id();
  auto added = std::make_shared<port>(*this, request.room, std::move(request.subscriber));
  added->open(request.room);
  ports_.insert_or_assign(id, std::move(added));
}

void bridge::on_close(room_id room) {
  auto closed = ports_.extract(room);
  if (closed)
    closed.mapped()->close(); // it may have something left to send
}

void bridge::on_recover(bridge_recover& request) {
  const auto found = ports_.find(request.room);
  if (found == ports_.end())
    return;
  found->second->channel().recover(
    request.wanted,
    [to = std::weak_ptr{found->second}, id = request.request](cluster::history_page&& page) {
      if (const auto there = to.lock())
        there->on_page(id, std::move(page));
    });
}

void bridge::on_control(const bridge_control& order) {
  control_ = order.to;
  way_ = order.way;
  broker_.control().listen([this](std::string_view message) {
    caf::anon_send(control_, control_mail{way_, std::string{message}});
  });
  broker_.moderation().listen(
    {.on_news =
       [this](cluster::act_news&& news) {
         moderation_.reads.add(1);
         caf::anon_send(control_,
                        acts_told{way_, std::make_shared<cluster::act_news>(std::move(news))});
       },
     .on_bad = [this](std::size_t count) { moderation_.bad_entries.add(count); }});
}

void bridge::on_write_acts(const bridge_write_acts& order) {
  broker_.moderation().write(
    order.what, [to = control_, ticket = order.ticket](std::vector<cluster::act_stored>&& came) {
      caf::anon_send(to, acts_written{ticket, std::move(came)});
    });
}

void bridge::on_reread_acts(std::uint64_t ticket) {
  broker_.moderation().reread([to = control_, ticket] { caf::anon_send(to, acts_reread{ticket}); });
}

void bridge::on_carry(const bridge_carry& order) {
  broker_.control().send(order.to, order.message,
                         [to = order.number == 0 ? caf::actor{} : control_,
                          failed = control_failed{way_, order.number}] {
                           if (to)
                             caf::anon_send(to, failed);
                         });
}

/// The end of a read of Redis flushes; a posted handler does for everything else.
void bridge::flush_soon(port& changed) {
  changed_.push_back(changed.shared_from_this());
  if (std::exchange(is_flush_posted_, true))
    return;
  boost::asio::post(io_, [this, self = caf::actor_cast<caf::strong_actor_ptr>(this)] {
    is_flush_posted_ = false;
    if (!is_over_)
      flush_ports();
  });
}

void bridge::flush_ports() {
  for (const auto& changed : std::exchange(changed_, {}))
    changed->flush();
  hold_back();
}

/// Marks the loops that are far behind; until they come to it, other nodes' publications wait in Redis' sockets.
void bridge::hold_back() {
  for (std::uint32_t loop = 0; loop < cast_.size(); ++loop) {
    if (lags_[loop] || cast_[loop].backlog->value() <= net::max_backlog_bytes)
      continue;
    lags_[loop] = true;
    ++lag_count_;
    caf::anon_send(cast_[loop].hub, hub_mark{loop, caf::actor_cast<caf::actor>(this)});
  }
  if (lag_count_ > 0)
    broker_.pause_messages(true);
}

void bridge::on_reached(std::uint32_t loop) {
  lags_[loop] = false;
  if (--lag_count_ == 0)
    broker_.pause_messages(false);
}

} // namespace canang::actors
