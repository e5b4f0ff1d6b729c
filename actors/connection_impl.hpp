#pragma once

#include "actors/connect_gate.hpp"
#include "actors/connection.hpp"
#include "net/timing_wheel.hpp"
#include "net/tracing/tracer.hpp"

#include <caf/actor_cast.hpp>

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Private to the files of the connection.

namespace canang::actors {

/// A place on the loop's wheel.
class connection::deadline : public net::timing_wheel::entry {
public:
  using handler = void (connection::*)(clock::time_point);

  deadline(connection& owner, handler on_time) : owner_(owner), on_time_(on_time) {}

private:
  /// May be destroyed by it.
  void on_deadline(clock::time_point now) override {
    auto& owner = owner_;
    const auto alive = caf::actor_cast<caf::actor>(&owner);
    owner.enter([&owner, what = on_time_, now] { (owner.*what)(now); });
  }

  connection& owner_;
  handler on_time_;
};

/// A publish that waits to be told whether its client may.
struct connection::waiting_publish {
  subscription_id subscription;
  std::uint32_t request;
  std::shared_ptr<cluster::publication> message;
  std::string key;
  bool outlives_room; // and so is answered in any case
};

/// A publish that the operator's program has let through, while traces are followed.
struct connection::followed_publish {
  subscription_id subscription;
  std::uint32_t request;
  std::unique_ptr<net::span> to_broker{}; // null: this one is not
};

/// A question that waits, or is asked.
struct connection::asked_query {
  net::query_command::subject what;
  std::string room;
  std::uint32_t request;
  cluster::history_request wanted;
};

/// A client whose `connect` is answered when it is in the rooms that the server has chosen.
struct connection::entering {
  std::shared_ptr<connect_gate> gate;
  std::uint32_t request = 0;
  std::size_t missing = 0;       // rooms that have not taken it yet
  subscription_id answering = 0; // the one that has, just now
};

/// What the operator's program is told of a client, and has it told.
struct connection::asked_backend {
  net::hook_origin_ptr origin;
  std::shared_ptr<const char> here = std::make_shared<const char>(); ///< while it waits for answers
  std::string meta{};                                                ///< JSON, or nothing
  net::hook_data_ptr told{};      ///< for the answer to who it is, until that is given
  bool is_asking_to_stay = false; ///< it may, until that is answered
};

/// When things of a client's end that its tokens give it for a time, in seconds of Unix time.
struct connection::lifetimes {
  explicit lifetimes(connection& owner) : wakes(owner, &connection::on_expiry) {}

  deadline wakes;
  net::expiry of_connection;
  std::vector<std::pair<subscription_id, std::int64_t>> of_rooms;
};

/// What few connections have.
struct connection::rare {
  /// For the log.
  struct log_facts {
    std::string peer;
    std::string room; // quoted
  };

  /// While the client has more to send than it may: it is woken when it may again, then it is looked whether
  /// that was all.
  struct overuse {
    overuse(connection& owner, clock::time_point began)
      : wakes(owner, &connection::on_pace), since(began) {}

    deadline wakes;
    clock::time_point since; // on end
    bool is_holding = true;  // it is not read
  };

  std::unique_ptr<log_facts> facts;
  std::unique_ptr<overuse> held;
  std::unique_ptr<deadline> identifies;
  clock::time_point identify_by{};          // until it is known; however often it tries
  std::unique_ptr<const net::identity> who; // where it has said more than nothing
  std::unique_ptr<entering> enters;
  std::unique_ptr<lifetimes> lives;
  std::unique_ptr<asked_backend> backend;                             // where there are hooks
  std::unique_ptr<std::map<subscription_id, std::string>> room_infos; // of its rooms' tokens
  std::vector<std::string> chosen; // rooms that its token has it put in, until it is told
  std::vector<net::join_command> early_joins;         // that wait until it is known who it is
  std::list<std::function<void(connection&)>> checks; // of tokens, one at a time
  bool is_checking = false;                           // one of them is under way
  bool is_choosing_check = false;                     // just now
  std::vector<waiting_publish> waiting;
  std::vector<followed_publish> followed; // until they are answered, the oldest first
  std::list<asked_query> queries;         // that wait for others to be answered
  unsigned asked = 0;                     // those that are
  bool is_asking = false;                 // just now
  net::publish_allowance answered;        // bytes of answers, as if the client had published them
  std::unique_ptr<deadline> asks;         // while that is used up

  [[nodiscard]] bool is_empty() const noexcept {
    return !facts && !held && !identifies && !who && !enters && !lives && !backend && !room_infos
           && chosen.empty() && early_joins.empty() && checks.empty() && !is_checking
           && !is_choosing_check && waiting.empty() && followed.empty() && queries.empty()
           && asked == 0 && !is_asking && !asks && identify_by == clock::time_point{};
  }
};

/// For as long as a message is read, also where that ends with an exception.
struct reply_scope {
  reply_scope(reply_batch* of_loop, const void* of) noexcept : batch(of_loop) {
    if (batch != nullptr)
      *batch = {of, nullptr};
  }
  reply_scope(const reply_scope&) = delete;
  reply_scope& operator=(const reply_scope&) = delete;
  ~reply_scope() {
    if (batch != nullptr)
      *batch = {};
  }

  reply_batch* batch;
};

/// Has all that the client is told by `act` sent in one piece, or as a part of a larger one.
template <class Act>
void connection::say_together(Act act) {
  if (services_.replies != nullptr && services_.replies->of == this) {
    act();
    return;
  }
  const reply_scope scope{services_.replies, this};
  act();
  send_replies();
}

/// Appends to a buffer and sends what there is; while a message of the client is read, at the end of that.
template <class Encode>
void connection::tell(Encode encode) {
  if (auto* const batch = services_.replies; batch != nullptr && batch->of == this) {
    if (!batch->bytes)
      batch->bytes = services_.context.buffers.make();
    encode(batch->bytes->bytes());
    if (batch->bytes->size() >= net::max_turn_buffer_bytes)
      send_replies();
    return;
  }
  const auto frame = services_.context.buffers.make();
  encode(frame->bytes());
  if (frame->size() > 0)
    session_->send(frame, 0, frame->size());
}

/// What goes on when the authorizer has decided, which may be at once, or when the connection is gone.
template <class Continue>
auto connection::continue_with(Continue next) {
  return [self = address(), next]<class... Answers>(Answers&&... answers) {
    const auto alive = caf::actor_cast<caf::actor>(self);
    if (!alive)
      return;
    auto& asked = *caf::actor_cast<connection*>(alive);
    asked.enter([&] { next(asked, std::forward<Answers>(answers)...); });
  };
}

} // namespace canang::actors
