#include "cluster/rooms/control_channels.hpp"

#include <array>
#include <utility>

namespace canang::cluster {

namespace {

constexpr std::string_view all_nodes = "all"; // a node's name is longer

} // namespace

std::string control_channel(std::string_view prefix, std::uint32_t database,
                            std::string_view node) {
  std::string channel{prefix};
  channel += ":control";
  if (database != 0)
    channel += std::to_string(database);
  channel += ':';
  channel += node;
  return channel;
}

control_channels::control_channels(redis_shard& shard, std::string prefix, std::string_view node)
  : shard_(shard),
    prefix_(std::move(prefix)),
    own_(control_channel(prefix_, shard.database(), node)),
    all_(control_channel(prefix_, shard.database(), all_nodes)) {}

void control_channels::listen(message_handler handler) {
  handler_ = std::move(handler);
  shard_.subscribe(all_);
  shard_.subscribe(own_);
}

void control_channels::send(std::string_view to, std::string_view message, failure_handler failed) {
  const auto channel = to.empty() ? all_ : control_channel(prefix_, shard_.database(), to);
  shard_.command(std::array<std::string_view, 3>{"PUBLISH", channel, message},
                 [failed = std::move(failed)](redis_errc error, const redis_reply& reply) {
                   if (failed && (error != redis_errc::none || reply.is_error()))
                     failed();
                 });
}

bool control_channels::on_message(std::string_view channel, std::string_view payload) {
  if (channel != all_ && channel != own_)
    return false;
  if (handler_)
    handler_(payload);
  return true;
}

} // namespace canang::cluster
