#include "app/admin/api_publish.hpp"

#include "actors/publication_tracing.hpp"
#include "net/json.hpp"
#include "net/tracing/tracer.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace canang::admin {

namespace {

api_outcome result_of(const cluster::publish_outcome& outcome) {
  switch (outcome.error) {
  case cluster::broker_errc::none: break;
  case cluster::broker_errc::unavailable:
    return api_error{.code = api_errc::internal,
                     .message = "internal server error: not stored in time, or too many rooms; try "
                                "again, with the same idempotency_key"};
  case cluster::broker_errc::refused:
    return api_error{.code = api_errc::internal,
                     .message = "internal server error: the room's data is not what it should be"};
  }
  if (outcome.at.offset == 0) // it has no place in the history
    return "{}";
  auto json = fmt::format(R"({{"offset":{},"epoch":)", outcome.at.offset);
  net::append_json_string(json, outcome.at.epoch);
  return json + '}';
}

std::shared_ptr<cluster::publication> message_of(const api_content& content) {
  auto message = std::make_shared<cluster::publication>();
  message->received_at = std::chrono::steady_clock::now();
  message->type = content.is_binary ? cluster::payload_type::binary : cluster::payload_type::text;
  message->data = content.data;
  if (!content.tags.empty())
    message->notes = std::make_unique<const cluster::publication_notes>(
      cluster::publication_notes{.tags = content.tags});
  return message;
}

void publish_in(actors::server& node, const std::string& channel, const api_content& content,
                api_handler handler) {
  const auto most = node.room_settings().get()->of(channel).max_message_bytes;
  if (content.data.size() > most) {
    handler(api_error{.message = fmt::format("bad request: '{}' has {} bytes, and the room takes "
                                             "{}",
                                             content.is_binary ? "b64data" : "data",
                                             content.data.size(), most)});
    return;
  }
  const auto keeper = node.keeper_of(channel);
  if (!keeper) {
    handler(not_ready());
    return;
  }
  auto message = message_of(content);
  std::shared_ptr<const net::span> to_broker; // null: not followed
  if (content.trace)
    to_broker =
      std::make_shared<const net::span>(actors::follow(*message, channel, *content.trace));
  caf::anon_send(keeper, actors::publish_to_room{
                           .room = channel,
                           .message = std::move(message),
                           .idempotency_key = content.idempotency_key,
                           .skip_history = content.skip_history,
                           .answer = [&node, to_broker, handler = std::move(handler)](
                                       cluster::publish_outcome&& outcome) {
                             if (to_broker)
                               node.tracer()->record(actors::ended(*to_broker, outcome));
                             node.on_internal_loop([handler, outcome = std::move(outcome)] {
                               handler(result_of(outcome));
                             });
                           }});
}

/// The answers to a broadcast, until all are there. On the internal loop.
class responses {
public:
  responses(std::size_t count, api_handler handler)
    : missing_(count), answers_(count), handler_(std::move(handler)) {}

  void add(std::size_t at, const api_outcome& outcome) {
    answers_[at] = to_json("result", outcome);
    if (--missing_ == 0)
      handler_(all());
  }

private:
  [[nodiscard]] std::string all() const {
    std::string json = R"({"responses":[)";
    for (std::size_t i = 0; i < answers_.size(); ++i)
      (json += i == 0 ? "" : ",") += answers_[i];
    return json + "]}";
  }

  std::size_t missing_;
  std::vector<std::string> answers_;
  api_handler handler_;
};

} // namespace

void publish(actors::server& node, api_publish&& wanted, api_handler handler) {
  publish_in(node, wanted.channel, wanted.content, std::move(handler));
}

void broadcast(actors::server& node, api_broadcast&& wanted, api_handler handler) {
  const auto gathered = std::make_shared<responses>(wanted.channels.size(), std::move(handler));
  for (std::size_t i = 0; i < wanted.channels.size(); ++i) {
    const auto& channel = wanted.channels[i];
    if (const auto fault = fault_of_channel(channel); !fault.empty())
      gathered->add(i, api_error{.message = fmt::format("bad request: {}", fault)});
    else
      publish_in(node, channel, wanted.content,
                 [gathered, i](api_outcome&& outcome) { gathered->add(i, outcome); });
  }
}

} // namespace canang::admin
