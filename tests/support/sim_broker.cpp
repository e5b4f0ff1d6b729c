#include "tests/support/sim_broker.hpp"

#include <stdexcept>
#include <utility>

namespace canang::sim {

namespace {

bool take(std::string& fault, std::string_view room) {
  if (fault.empty() || fault != room)
    return false;
  fault.clear();
  return true;
}

cluster::publish_outcome unavailable() { return {.error = cluster::broker_errc::unavailable}; }

std::shared_ptr<const cluster::room_settings_table> table_of(const cluster::room_settings& rooms) {
  auto table = std::make_shared<cluster::room_settings_table>();
  table->rooms = rooms;
  return table;
}

} // namespace

sim_broker::sim_broker(std::function<clock::time_point()> now, const cluster::room_settings& rooms)
  : settings_(table_of(rooms)), inner_({}, std::move(now), settings_) {}

class sim_broker::channel final : public cluster::room_channel {
public:
  channel(sim_broker& owner, std::string_view room, cluster::room_subscriber& subscriber)
    : owner_(owner),
      room_(room),
      subscriber_(subscriber),
      inner_(owner.inner_.open(room, subscriber)) {
    ++owner_.subscribers_;
  }
  ~channel() override {
    --owner_.subscribers_;
    std::erase_if(owner_.pending_, [this](const pending_answer& one) { return one.of == this; });
    std::erase_if(owner_.held_, [this](const held_publish& one) { return one.of == this; });
  }

  void publish(std::shared_ptr<cluster::publication> message,
               std::string_view idempotency_key) override {
    if (!owner_.holds(room_)) {
      publish_now(std::move(message), idempotency_key);
      return;
    }
    owner_.held_.push_back({this, [this, message, key = std::string{idempotency_key}](bool lost) {
                              if (lost)
                                subscriber_.on_published(unavailable());
                              else
                                publish_now(message, key);
                            }});
  }

  void publish_now(std::shared_ptr<cluster::publication> message,
                   std::string_view idempotency_key) {
    owner_.record_or_throw(room_, message);
    inner_->publish(std::move(message), idempotency_key);
  }

  void recover(const cluster::recover_request& request, cluster::page_handler handler) override {
    const bool reads = request.limit > 0 || request.since;
    if (reads && take(owner_.throws_at_history_, room_))
      throw std::runtime_error{"the broker failed"};
    if (reads && take(owner_.refuses_history_, room_)) {
      cluster::history_page failed;
      failed.error = cluster::broker_errc::unavailable;
      handler(std::move(failed));
      return;
    }
    if (owner_.delays_ != nullptr && owner_.delays_->one_in(2))
      owner_.pending_.push_back({this, request, std::move(handler)});
    else
      recover_now(request, std::move(handler));
  }

  void recover_now(const cluster::recover_request& request, cluster::page_handler handler) {
    inner_->recover(request, std::move(handler));
  }

  void note_member(const cluster::local_member& who, bool is_here) override {
    inner_->note_member(who, is_here);
  }

private:
  sim_broker& owner_;
  std::string room_;
  cluster::room_subscriber& subscriber_;
  std::unique_ptr<cluster::room_channel> inner_;
};

std::unique_ptr<cluster::room_channel> sim_broker::open(std::string_view room,
                                                        cluster::room_subscriber& subscriber) {
  return std::make_unique<channel>(*this, room, subscriber);
}

void sim_broker::publish(std::string_view room, std::shared_ptr<cluster::publication> message,
                         const cluster::publish_options& options,
                         cluster::publish_handler handler) {
  if (holds(room)) {
    held_.push_back({nullptr, [this, room = std::string{room}, message, handler,
                               key = std::string{options.idempotency_key},
                               skips = options.skip_history](bool lost) {
                       if (lost)
                         handler(unavailable());
                       else
                         publish(room, message, {.idempotency_key = key, .skip_history = skips},
                                 handler);
                     }});
    return;
  }
  if (!options.skip_history)
    record_or_throw(room, message);
  inner_.publish(room, std::move(message), options, std::move(handler));
}

void sim_broker::record_or_throw(std::string_view room,
                                 const std::shared_ptr<cluster::publication>& message) {
  if (take(throws_at_publish_, room))
    throw std::runtime_error{"the broker failed"};
  record_[std::string{room}].push_back(message);
}

void sim_broker::end_hold(bool are_lost) {
  holds_publishes_.clear();
  while (!held_.empty()) {
    const auto next = std::move(held_.front());
    held_.pop_front();
    next.end(are_lost);
  }
}

void sim_broker::run() {
  auto next = std::move(pending_.front());
  pending_.pop_front();
  next.of->recover_now(next.request, std::move(next.handler));
}

const std::vector<cluster::publication_ptr>& sim_broker::record(std::string_view room) const {
  static const std::vector<cluster::publication_ptr> nothing;
  const auto found = record_.find(room);
  return found == record_.end() ? nothing : found->second;
}

} // namespace canang::sim
