#include "app/admin/api_rooms.hpp"

#include "app/admin/api_results.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace canang::admin {

namespace {

/// Publications that are asked for at once. More are had by asking again, so that no broker is held up.
constexpr std::size_t page_size = 1000;

api_error not_kept(std::string_view what) {
  return {.code = api_errc::not_available,
          .message = std::string{"not available: the room's settings keep no "} += what};
}

bool keeps_history(actors::server& node, const std::string& room) {
  const auto settings = node.room_settings().get()->of(room);
  return settings.history_size > 0 && settings.history_bytes > 0;
}

api_error not_known() {
  return {.code = api_errc::internal,
          .message = "internal server error: nobody answers for this room at present"};
}

api_error too_much_info() {
  return {.code = api_errc::limit_exceeded,
          .message = "limit exceeded: what the tokens of the members say takes more than "
                     + std::to_string(cluster::max_report_info_bytes) + " bytes"};
}

/// Asks who is in a room; `result_of` makes the result of it.
void ask_members(actors::server& node, const std::string& room, api_handler&& handler,
                 std::string (*result_of)(const cluster::room_report&), bool needs_info) {
  if (!node.room_settings().get()->of(room).keeps_presence()) {
    handler(not_kept("presence"));
    return;
  }
  ask_room(node, room, std::move(handler),
           [result_of, needs_info](const cluster::room_report& report) -> api_outcome {
             if (needs_info && report.is_info_left_out)
               return too_much_info();
             return result_of(report);
           });
}

/// Reads a history page by page: a broker counts joins and leaves, which are not told here. Lives until it is
/// answered, on the internal loop.
class history_reader : public std::enable_shared_from_this<history_reader> {
public:
  history_reader(actors::server& node, api_history&& wanted, api_handler&& handler)
    : node_(node), wanted_(std::move(wanted)), handler_(std::move(handler)) {
    found_.is_bare = wanted_.is_bare;
    if (wanted_.since)
      after_ = {.epoch = wanted_.since->epoch, .offset = wanted_.since->offset};
  }

  void ask() {
    const auto keeper = node_.keeper_of(wanted_.channel);
    if (!keeper) {
      handler_(not_ready());
      return;
    }
    asked_ = std::min(wanted_.limit - found_.messages.size(), page_size);
    actors::history_query order;
    order.room = wanted_.channel;
    order.wanted.limit = asked_;
    order.wanted.since = after_;
    order.wanted.is_reverse = wanted_.is_reverse;
    order.answer = [self = shared_from_this()](cluster::history_answer&& answer) {
      self->node_.on_internal_loop([self, answer = std::move(answer)] { self->take(answer); });
    };
    caf::anon_send(keeper, std::move(order));
  }

private:
  void take(const cluster::history_answer& answer) {
    if (answer.error != cluster::broker_errc::none) {
      handler_(not_known());
    } else if (answer.is_unrecoverable && is_first_) {
      handler_(api_error{.code = api_errc::unrecoverable_position,
                         .message = "unrecoverable position: 'since' is not of the room's "
                                    "history, or what follows it is gone"});
    } else if (answer.is_unrecoverable) {
      handler_(to_json(found_)); // the next ones are gone meanwhile: these have no gap
    } else {
      add(answer);
    }
  }

  void add(const cluster::history_answer& answer) {
    is_first_ = false;
    found_.top = answer.top;
    const bool has_room = add_messages(found_, answer.publications);
    if (!has_room || answer.publications.size() < asked_ || asked_ == 0
        || found_.messages.size() == wanted_.limit) {
      handler_(to_json(found_));
      return;
    }
    after_ = {.epoch = answer.top.epoch, .offset = answer.publications.back()->offset};
    ask();
  }

  actors::server& node_;
  api_history wanted_;
  api_handler handler_;
  history_result found_;
  std::optional<cluster::position> after_;
  std::size_t asked_ = 0;
  bool is_first_ = true;
};

} // namespace

void ask_room(actors::server& node, const std::string& room, api_handler handler,
              std::function<api_outcome(const cluster::room_report&)> result_of) {
  if (!node.keeper_of(room)) {
    handler(not_ready());
    return;
  }
  node.ask_room(room, true,
                [&node, handler = std::move(handler),
                 result_of = std::move(result_of)](cluster::room_report&& report) {
                  node.on_internal_loop([handler, result_of, report = std::move(report)] {
                    if (report.error != cluster::broker_errc::none)
                      handler(not_known());
                    else
                      handler(result_of(report));
                  });
                });
}

void tell_presence(actors::server& node, api_presence&& wanted, api_handler handler) {
  ask_members(node, wanted.channel, std::move(handler), presence_result, true);
}

void tell_presence_stats(actors::server& node, api_presence_stats&& wanted, api_handler handler) {
  ask_members(node, wanted.channel, std::move(handler), presence_stats_result, false);
}

void remove_history(actors::server& node, api_history_remove&& wanted, api_handler handler) {
  const auto keeper = node.keeper_of(wanted.channel);
  if (!keeps_history(node, wanted.channel)) {
    handler(not_kept("history"));
    return;
  }
  if (!keeper) {
    handler(not_ready());
    return;
  }
  actors::history_removal order;
  order.room = std::move(wanted.channel);
  order.answer = [&node, handler = std::move(handler)](cluster::removal_answer&& answer) {
    node.on_internal_loop([handler, error = answer.error] {
      if (error != cluster::broker_errc::none)
        handler(not_known());
      else
        handler(std::string{"{}"});
    });
  };
  caf::anon_send(keeper, std::move(order));
}

void tell_history(actors::server& node, api_history&& wanted, api_handler handler) {
  if (!keeps_history(node, wanted.channel))
    handler(not_kept("history"));
  else
    std::make_shared<history_reader>(node, std::move(wanted), std::move(handler))->ask();
}

} // namespace canang::admin
