#include "cluster/rooms/redis_room_report.hpp"

#include "base/name_map.hpp"
#include "cluster/rooms/redis_presence.hpp"
#include "cluster/who_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace canang::cluster {

namespace {

/// Lives until it has answered.
class reporting : public std::enable_shared_from_this<reporting> {
public:
  reporting(redis_room_services& services, std::string_view room, report_handler handler)
    : services_(services), keys_(services.prefix, room, {}), handler_(std::move(handler)) {}

  void begin(std::string_view room, bool with_members) {
    const auto meta = redis_key(services_.prefix, partition_of(room), "m", room);
    pending_ = 1; // this call itself
    ask(std::array<std::string_view, 2>{"HGETALL", keys_.counts}, &reporting::take_counts);
    if (with_members)
      read_members("0");
    ask(std::array<std::string_view, 4>{"HMGET", meta, "e", "o"}, &reporting::take_position);
    on_read();
  }

private:
  template <std::size_t Size>
  void ask(const std::array<std::string_view, Size>& command,
           void (reporting::*take)(const redis_reply&)) {
    ++pending_;
    services_.shard.command(
      command, [self = shared_from_this(), take](redis_errc error, const redis_reply& reply) {
        if (self->is_good(error, reply))
          ((*self).*take)(reply);
        self->on_read();
      });
  }

  void read_members(std::string_view cursor) {
    ask(
      std::array<std::string_view, 5>{"HSCAN", keys_.members, cursor, "COUNT", presence_page_text},
      &reporting::take_members);
  }

  void take_counts(const redis_reply& reply) {
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2)
      answer_.members_by_node.emplace_back(reply[i].text(), reply[i + 1].integer());
  }

  /// Pages may have a member twice, while others come and go.
  void take_members(const redis_reply& reply) {
    const auto page = reply[1];
    for (std::size_t i = 0; i + 1 < page.size(); i += 2)
      if (const std::string id{page[i].text()}; seen_.insert(id).second)
        add_member(answer_, member_of(id, page[i + 1].text()));
    if (reply[0].text() != "0")
      read_members(reply[0].text());
  }

  void take_position(const redis_reply& reply) {
    if (!reply[0].is_nil())
      answer_.top = {std::string{reply[0].text()}, static_cast<std::uint64_t>(reply[1].integer())};
  }

  bool is_good(redis_errc error, const redis_reply& reply) {
    if (error != redis_errc::none)
      answer_.error = broker_errc::unavailable;
    else if (reply.is_error())
      answer_.error = broker_errc::refused;
    return answer_.error == broker_errc::none;
  }

  void on_read() {
    if (--pending_ == 0)
      handler_(std::move(answer_));
  }

  redis_room_services& services_;
  presence_keys keys_;
  report_handler handler_;
  room_report answer_;
  name_set seen_;
  std::size_t pending_ = 0;
};

} // namespace

void report_room(redis_room_services& services, std::string_view room, bool with_members,
                 report_handler handler) {
  std::make_shared<reporting>(services, room, std::move(handler))->begin(room, with_members);
}

} // namespace canang::cluster
