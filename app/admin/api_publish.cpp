#include "app/admin/api_publish.hpp"

#include "app/admin/api_answer.hpp"
#include "net/json.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace canang::admin {

namespace {

net::page_response answer_to(const cluster::publish_outcome& outcome) {
  switch (outcome.error) {
  case cluster::broker_errc::none: break;
  case cluster::broker_errc::unavailable:
    return api_fault({.code = api_errc::internal,
                      .message = "internal server error: not stored in time, or too many rooms; "
                                 "try again, with the same idempotency_key"});
  case cluster::broker_errc::refused:
    return api_fault({.code = api_errc::internal,
                      .message = "internal server error: the room's data is not what it should "
                                 "be"});
  }
  if (outcome.at.offset == 0) // it has no place in the history
    return api_answer(R"({"result":{}})");
  auto json = fmt::format(R"({{"result":{{"offset":{},"epoch":)", outcome.at.offset);
  net::append_json_string(json, outcome.at.epoch);
  return api_answer(json + "}}");
}

std::shared_ptr<cluster::publication> message_of(std::string&& data) {
  auto message = std::make_shared<cluster::publication>();
  message->received_at = std::chrono::steady_clock::now();
  message->type = cluster::payload_type::text;
  message->data = std::move(data);
  return message;
}

} // namespace

void answer_publish(actors::server& node, const net::http_request& request,
                    net::responder& respond) {
  auto parsed = parse_publish(request.body);
  if (const auto* const error = std::get_if<api_error>(&parsed))
    return respond.reply(api_fault(*error));
  auto& wanted = std::get<api_publish>(parsed);
  const auto most = node.room_settings().get()->of(wanted.channel).max_message_bytes;
  if (wanted.data.size() > most)
    return respond.reply(
      api_fault({.message = fmt::format("bad request: 'data' has {} bytes, and the room takes {}",
                                        wanted.data.size(), most)}));
  const auto keeper = node.keeper_of(wanted.channel);
  if (!keeper)
    return respond.reply(api_not_ready());
  caf::anon_send(keeper,
                 actors::publish_to_room{
                   .room = std::move(wanted.channel),
                   .message = message_of(std::move(wanted.data)),
                   .idempotency_key = std::move(wanted.idempotency_key),
                   .skip_history = wanted.skip_history,
                   .answer = [later = respond.reply_later()](cluster::publish_outcome&& outcome) {
                     later(answer_to(outcome));
                   }});
}

} // namespace canang::admin
