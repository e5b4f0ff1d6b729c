#include "cluster/epoch.hpp"
#include "cluster/redis/refusal.hpp"
#include "cluster/rooms/redis_broker.hpp"
#include "cluster/rooms/redis_room_list.hpp"
#include "cluster/rooms/redis_room_report.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <algorithm>
#include <utility>

// What is published, read and asked of any room, whether it has members here or not.

namespace canang::cluster {

namespace {

/// No room has more publications; of a script's numbers it is well within what is exact.
constexpr std::uint64_t most_history_limit = 1ULL << 31U;

} // namespace

void redis_broker::publish(std::string_view room, std::shared_ptr<publication> message,
                           const publish_options& options, publish_handler handler) {
  auto* target = find(room);
  const auto key = options.idempotency_key;
  const auto of_room =
    target == nullptr && !options.skip_history ? redis_room::cost_without_members(room) : 0;
  if (!has_place_for(queued_publish::cost_of(*message, key) + of_room)) {
    handler({.error = broker_errc::unavailable});
    return;
  }
  if (options.skip_history) {
    publish_unordered(room, *message, key, std::move(handler));
    return;
  }
  if (target == nullptr) {
    target = &add_room(room);
    charge(*target, of_room);
  }
  target->publish(std::move(message), key, std::move(handler));
  note_busy(*target);
  send_soon();
}

/// Nothing of it is stored, so nothing can tell whether a try whose answer was lost has got through: there is
/// one.
void redis_broker::publish_unordered(std::string_view room, const publication& message,
                                     std::string_view key, publish_handler handler) {
  const auto partition = partition_of(room);
  const auto meta = redis_key(services_.prefix, partition, "m", room);
  const auto channel = redis_channel(services_, room);
  const auto key_of_room = redis_key(services_.prefix, partition, "i", room) + '\0';
  const auto idempotency_key = key_of_room + std::string{key};
  const auto text = unordered_message(message, {services_.origin, ++services_.batches},
                                      services_.options.writes_notes);
  const decimal ttl{services_.options.idempotency_ttl};
  const std::string_view both_keys[]{meta, idempotency_key};
  const auto keys = std::span{both_keys}.first(key.empty() ? 1 : 2);
  const std::string_view arguments[]{channel, text, ttl.text()};
  const auto cost = queued_publish::cost_of(message, key);
  services_.add_buffered(cost);
  services_.metrics.publishes.add(1);
  shard_.run(
    room_scripts().unordered, keys, arguments,
    [this, cost, handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
      services_.subtract_buffered(cost);
      handler(outcome_of_unordered(error, reply));
    });
}

publish_outcome redis_broker::outcome_of_unordered(redis_errc error, const redis_reply& reply) {
  publish_outcome outcome;
  if (error != redis_errc::none) {
    services_.metrics.failed_timeout.add(1);
    outcome.error = broker_errc::unavailable;
  } else if (reply.is_error()) {
    note_refused_publish(services_, reply.text());
    outcome.error = error_of(reply.text());
  } else if (!reply.text().empty()) {
    outcome.duplicate = true;
    if (auto before = read_position(reply.text()); before.offset != 0)
      outcome.at = std::move(before);
  }
  return outcome;
}

/// Read of Redis also where there are members here: it has all that is kept, and nobody waits for it here.
void redis_broker::history(std::string_view room, const history_request& request,
                           history_handler handler) {
  if (is_stopped_) {
    handler({.error = broker_errc::unavailable});
    return;
  }
  const auto partition = partition_of(room);
  const auto meta = redis_key(services_.prefix, partition, "m", room);
  const auto stream = redis_key(services_.prefix, partition, "s", room);
  const auto events = redis_key(services_.prefix, partition, "v", room);
  const auto epoch = make_epoch();
  const decimal limit{std::min<std::uint64_t>(request.limit, most_history_limit)};
  const decimal since{request.since ? request.since->offset : 0};
  const std::string_view keys[]{meta, stream, events};
  const std::string_view arguments[]{epoch, services_.options.uses_lineage ? "1" : "0",
                                     request.since ? since.text() : std::string_view{},
                                     limit.text(), request.is_reverse ? "1" : "0"};
  services_.metrics.history_reads.add(1);
  shard_.run(
    room_scripts().history, keys, arguments,
    [this, request, handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
      handler(read_history(request, error, reply));
    });
}

/// What became of a call that somebody waits for; a refusal is looked into.
broker_errc redis_broker::fault_of(redis_errc error, const redis_reply& reply) {
  if (error != redis_errc::none)
    return broker_errc::unavailable;
  if (!reply.is_error())
    return broker_errc::none;
  if (is_not_master(reply.text()))
    shard_.suspect_master();
  complain(reply.text());
  return error_of(reply.text());
}

history_answer redis_broker::read_history(const history_request& request, redis_errc error,
                                          const redis_reply& reply) {
  if (const auto why = fault_of(error, reply); why != broker_errc::none)
    return {.error = why};
  if (reply.size() == 0)
    return {.is_unrecoverable = request.since.has_value()};
  stored_page page;
  if (const auto fault = read_stored_page(reply, services_.origin, page);
      fault != envelope_errc::none) {
    count_bad(services_.metrics, fault);
    complain("what is stored of a room cannot be read");
  }
  if (page.top.epoch.empty())
    return {.error = broker_errc::refused};
  return answer_of(request, std::move(page));
}

/// Repeated by whoever asks for it where the answer was lost: it does no harm.
void redis_broker::remove_history(std::string_view room, removal_handler handler) {
  if (is_stopped_) {
    handler({.error = broker_errc::unavailable});
    return;
  }
  const auto partition = partition_of(room);
  const auto meta = redis_key(services_.prefix, partition, "m", room);
  const auto stream = redis_key(services_.prefix, partition, "s", room);
  const auto events = redis_key(services_.prefix, partition, "v", room);
  const auto channel = redis_channel(services_, room);
  const std::string_view keys[]{meta, stream, events};
  const std::string_view arguments[]{channel};
  shard_.run(room_scripts().remove, keys, arguments,
             [this, handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
               handler({.error = fault_of(error, reply)});
             });
}

void redis_broker::list(const room_list_request& wanted, room_list_handler handler) {
  if (is_stopped_ || living_.empty())
    handler({.error = broker_errc::unavailable});
  else
    list_rooms(services_, living_, wanted, std::move(handler));
}

void redis_broker::report(std::string_view room, bool with_members, report_handler handler) {
  if (is_stopped_) {
    handler({.error = broker_errc::unavailable});
    return;
  }
  report_room(services_, room, with_members, std::move(handler));
}

} // namespace canang::cluster
