#include "app/admin/api_execute.hpp"

#include "app/admin/api_channels.hpp"
#include "app/admin/api_commands.hpp"
#include "app/admin/api_info.hpp"
#include "app/admin/api_moderation.hpp"
#include "app/admin/api_publish.hpp"
#include "app/admin/api_rooms.hpp"

#include <utility>
#include <variant>

namespace canang::admin {

namespace {

/// What each command is executed by.
struct executor {
  actors::server& node;
  api_handler handler;

  void operator()(api_info&& /*wanted*/) { handler(tell_info(node)); }
  void operator()(api_publish&& wanted) { publish(node, std::move(wanted), std::move(handler)); }
  void operator()(api_broadcast&& wanted) {
    broadcast(node, std::move(wanted), std::move(handler));
  }
  void operator()(api_disconnect&& wanted) { disconnect(node, std::move(wanted), handler); }
  void operator()(api_subscribe&& wanted) { subscribe(node, std::move(wanted), handler); }
  void operator()(api_refresh&& wanted) { refresh(node, std::move(wanted), handler); }
  void operator()(api_unsubscribe&& wanted) { unsubscribe(node, std::move(wanted), handler); }
  void operator()(api_presence&& wanted) {
    tell_presence(node, std::move(wanted), std::move(handler));
  }
  void operator()(api_presence_stats&& wanted) {
    tell_presence_stats(node, std::move(wanted), std::move(handler));
  }
  void operator()(api_history&& wanted) {
    tell_history(node, std::move(wanted), std::move(handler));
  }
  void operator()(api_channels&& wanted) {
    tell_channels(node, std::move(wanted), std::move(handler));
  }
  void operator()(api_moderation&& wanted) { moderate(node, std::move(wanted), handler); }
  void operator()(api_acts&& wanted) { tell_acts(node, std::move(wanted), handler); }
  void operator()(api_history_remove&& wanted) {
    remove_history(node, std::move(wanted), std::move(handler));
  }
};

} // namespace

void execute(actors::server& node, api_command&& command, api_handler handler) {
  std::visit(executor{.node = node, .handler = std::move(handler)}, std::move(command));
}

} // namespace canang::admin
