#include "cluster/rooms/room_scripts.hpp"

#include "base/parse_number.hpp"
#include "cluster/epoch.hpp"
#include "cluster/redis/refusal.hpp"
#include "cluster/rooms/scripts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace canang::cluster {

const room_script_set& room_scripts() {
  static const room_script_set set{.publish = redis_script{scripts::publish, "publish"},
                                   .read = redis_script{scripts::read, "read"},
                                   .positions = redis_script{scripts::positions, "positions"},
                                   .presence = redis_script{scripts::presence, "presence"},
                                   .leave = redis_script{scripts::leave, "leave"},
                                   .reap = redis_script{scripts::reap, "reap"},
                                   .lease = redis_script{scripts::lease, "lease"},
                                   .sweep = redis_script{scripts::sweep, "sweep"},
                                   .bury = redis_script{scripts::bury, "bury"},
                                   .release = redis_script{scripts::release, "release"},
                                   .unordered = redis_script{scripts::unordered, "unordered"},
                                   .history = redis_script{scripts::history, "history"},
                                   .remove = redis_script{scripts::remove, "remove"},
                                   .acts_read = redis_script{scripts::acts_read, "acts_read"},
                                   .acts_write = redis_script{scripts::acts_write, "acts_write"}};
  return set;
}

std::chrono::milliseconds meta_ttl(const redis_broker_options& options,
                                   const room_settings& settings) noexcept {
  return settings.history_ttl + options.position_extra_ttl;
}

publish_call::publish_call(const redis_broker_options& options, const room_settings& settings,
                           const batch_id& id)
  : options_(options), settings_(settings), epoch_(make_epoch()) {
  append_batch_header(header_, id);
}

void publish_call::set_keys(std::string_view meta, std::string_view stream,
                            std::string_view channel) {
  meta_ = meta;
  stream_ = stream;
  channel_ = channel;
}

void publish_call::add(const publication& message, std::string key) {
  append_publication(body_, message, options_.writes_notes);
  ends_.push_back(body_.size());
  has_keys_ |= !key.empty();
  keys_.push_back(std::move(key));
}

std::span<const std::string_view> publish_call::keys() {
  key_views_.assign({meta_, stream_});
  for (const auto& key : keys_)
    if (!key.empty())
      key_views_.emplace_back(key);
  return key_views_;
}

std::span<const std::string_view> publish_call::arguments() {
  texts_.clear();
  texts_.reserve(8 + keys_.size()); // the views need them to stay where they are
  const auto number = [&](std::uint64_t value) -> std::string_view {
    return texts_.emplace_back(decimal{value}.text());
  };
  const auto time = [&](std::chrono::milliseconds value) {
    return number(static_cast<std::uint64_t>(value.count()));
  };
  argument_views_.assign({channel_, epoch_, number(settings_.history_size), number(trim_),
                          time(settings_.history_ttl), time(meta_ttl(options_, settings_)),
                          time(options_.idempotency_ttl), options_.uses_lineage ? "1" : "0", seen_,
                          header_, number(ends_.size())});
  if (!has_keys_) {
    argument_views_.emplace_back(body_);
    return argument_views_;
  }
  std::size_t from = 0;
  for (const auto end : ends_) {
    argument_views_.push_back(std::string_view{body_}.substr(from, end - from));
    from = end;
  }
  std::uint64_t index = 0;
  for (const auto& key : keys_)
    argument_views_.push_back(key.empty() ? std::string_view{"0"} : number(++index));
  return argument_views_;
}

position read_position(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return {};
  const auto offset = parse_number<std::uint64_t>(text.substr(colon + 1));
  if (!offset)
    return {};
  return {std::string{text.substr(0, colon)}, *offset};
}

namespace {

/// Reads the entries of a stream. @returns what is wrong with the last one that cannot be read; `into` then
/// begins after it, and `floor` is its offset.
envelope_errc read_entries(const redis_reply& entries, const std::string& epoch,
                           std::uint64_t own_origin, std::vector<publication_ptr>& into,
                           std::uint64_t& floor) {
  auto worst = envelope_errc::none;
  batch stored;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto entry = entries[i];
    const auto last =
      read_position(std::string{":"}.append(entry[0].text().substr(0, entry[0].text().find('-'))))
        .offset;
    const auto fault = read_batch(entry[1][1].text(), epoch, last, own_origin, stored);
    if (fault != envelope_errc::none) { // a hole, as one that was never there
      worst = fault;
      into.clear();
      floor = std::max(floor, last);
      continue;
    }
    into.insert(into.end(), stored.publications.begin(), stored.publications.end());
  }
  return worst;
}

/// Only what reaches the end without a hole is of use.
void keep_consecutive(stored_page& page, std::uint64_t end) {
  auto& all = page.publications;
  auto expected = end;
  auto at = all.end();
  for (; at != all.begin() && (*std::prev(at))->offset == expected; --at)
    --expected;
  all.erase(all.begin(), at);
}

/// Joins and leaves among the messages, of which none is missing behind `floor`. Where those that are kept
/// reach further back without a hole, no message is missing there either.
void merge_events(stored_page& page, std::vector<publication_ptr>&& events, std::uint64_t floor) {
  auto messages = std::exchange(page.publications, {});
  std::merge(messages.begin(), messages.end(), events.begin(), events.end(),
             std::back_inserter(page.publications),
             [](const auto& a, const auto& b) { return a->offset < b->offset; });
  for (auto at = page.publications.rbegin(); at != page.publications.rend(); ++at)
    if ((*at)->offset == floor && floor > 0)
      --floor;
  std::erase_if(page.publications, [&](const auto& message) { return message->offset <= floor; });
  page.floor = floor;
}

} // namespace

envelope_errc read_stored_page(const redis_reply& reply, std::uint64_t own_origin,
                               stored_page& into) {
  constexpr std::size_t least_size = 5;
  const bool has_events = reply.size() == least_size + 2;
  if ((reply.size() != least_size && !has_events) || !is_epoch(reply[0].text()))
    return envelope_errc::foreign;
  into.top = {std::string{reply[0].text()}, static_cast<std::uint64_t>(reply[1].integer())};
  auto lineage = reply[2].text();
  for (auto comma = lineage.find(','); comma != std::string_view::npos; comma = lineage.find(',')) {
    auto end = read_position(lineage.substr(0, comma));
    into.lineage.push_back({std::move(end.epoch), end.offset});
    lineage.remove_prefix(comma + 1);
  }
  auto floor = has_events ? static_cast<std::uint64_t>(reply[6].integer()) : 0;
  const auto worst = read_entries(reply[4], into.top.epoch, own_origin, into.publications, floor);
  if (!has_events) {
    keep_consecutive(into, static_cast<std::uint64_t>(reply[3].integer()));
    return worst;
  }
  std::vector<publication_ptr> events;
  std::uint64_t ignored =
    0; // a join or a leave that cannot be read is missed, and no message with it
  const auto other = read_entries(reply[5], into.top.epoch, own_origin, events, ignored);
  merge_events(into, std::move(events), floor);
  return worst == envelope_errc::none ? other : worst;
}

bool is_not_master(std::string_view error) noexcept {
  return error.starts_with("READONLY") || error.starts_with("LOADING")
         || error.starts_with("MASTERDOWN") || error.starts_with("CLUSTERDOWN");
}

bool is_temporary(std::string_view error) noexcept {
  return error.starts_with("OOM") || error.starts_with("BUSY") || error.starts_with("NOREPLICAS")
         || error.starts_with("MISCONF") || is_acl_refusal(error);
}

broker_errc error_of(std::string_view error) noexcept {
  return is_temporary(error) || is_not_master(error) ? broker_errc::unavailable
                                                     : broker_errc::refused;
}

void note_refused_publish(const redis_room_services& services, std::string_view error) {
  services.complain(error);
  auto& metrics = services.metrics;
  (error.starts_with("WRONGTYPE") ? metrics.failed_type : metrics.failed_refused).add(1);
}

void count_bad(broker_metrics& metrics, envelope_errc fault) noexcept {
  switch (fault) {
  case envelope_errc::none: break;
  case envelope_errc::foreign: metrics.bad_foreign.add(1); break;
  case envelope_errc::version: metrics.bad_version.add(1); break;
  case envelope_errc::truncated: metrics.bad_truncated.add(1); break;
  }
}

} // namespace canang::cluster
