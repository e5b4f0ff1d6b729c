#include "cluster/rooms/redis_room_list.hpp"

#include "base/glob.hpp"
#include "cluster/rooms/redis_presence.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace canang::cluster {

namespace {

constexpr std::string_view names_a_page = "500";

/// First the names, of all nodes and partitions at once, then of each room how many are in it. Lives until it has
/// answered.
class listing : public std::enable_shared_from_this<listing> {
public:
  listing(redis_room_services& services, room_list_request wanted, room_list_handler handler)
    : services_(services), wanted_(std::move(wanted)), handler_(std::move(handler)) {}

  void begin(std::span<const std::string> nodes) {
    pending_ = 1; // this call itself
    for (const auto partition : services_.partitions())
      for (const auto& node : nodes)
        read_names(redis_key(services_.prefix, partition, "r", node), "0");
    on_names_read();
  }

private:
  void read_names(const std::string& key, std::string_view cursor) {
    ++pending_;
    const std::array<std::string_view, 5> command{"SSCAN", key, cursor, "COUNT", names_a_page};
    services_.shard.command(
      command, [self = shared_from_this(), key](redis_errc error, const redis_reply& reply) {
        if (self->is_good(error, reply))
          self->take_names(key, reply);
        self->on_names_read();
      });
  }

  void take_names(const std::string& key, const redis_reply& reply) {
    const auto page = reply[1];
    for (std::size_t i = 0; i < page.size(); ++i)
      if (matches_glob(wanted_.pattern, page[i].text()))
        names_.emplace(page[i].text());
    looked_at_ += page.size();
    answer_.is_too_long = looked_at_ > max_listed_from || names_.size() > wanted_.limit;
    if (!answer_.is_too_long && reply[0].text() != "0")
      read_names(key, reply[0].text());
  }

  void on_names_read() {
    if (--pending_ > 0)
      return;
    pending_ = 1;
    if (answer_.error == broker_errc::none && !answer_.is_too_long)
      for (const auto& name : names_)
        read_count(name);
    on_count_read();
  }

  void read_count(const std::string& name) {
    ++pending_;
    const presence_keys keys{services_.prefix, name, {}};
    services_.shard.command(
      std::array<std::string_view, 2>{"HGETALL", keys.counts},
      [self = shared_from_this(), &name](redis_errc error, const redis_reply& reply) {
        std::uint64_t members = 0;
        for (std::size_t i = 1; self->is_good(error, reply) && i < reply.size(); i += 2)
          members += static_cast<std::uint64_t>(reply[i].integer());
        if (members > 0)
          self->answer_.rooms.emplace_back(name, members);
        self->on_count_read();
      });
  }

  void on_count_read() {
    if (--pending_ > 0)
      return;
    if (answer_.error != broker_errc::none || answer_.is_too_long)
      answer_.rooms.clear();
    handler_(std::move(answer_));
  }

  /// Whether a reply is to be looked at. After a fault nothing is asked any more.
  bool is_good(redis_errc error, const redis_reply& reply) {
    if (error != redis_errc::none)
      answer_.error = broker_errc::unavailable;
    else if (reply.is_error())
      answer_.error = broker_errc::refused;
    return answer_.error == broker_errc::none && !answer_.is_too_long;
  }

  redis_room_services& services_;
  room_list_request wanted_;
  room_list_handler handler_;
  room_list answer_;
  std::set<std::string> names_; // each is referred to until the end
  std::size_t looked_at_ = 0;
  std::size_t pending_ = 0;
};

} // namespace

void list_rooms(redis_room_services& services, std::span<const std::string> nodes,
                const room_list_request& wanted, room_list_handler handler) {
  std::make_shared<listing>(services, wanted, std::move(handler))->begin(nodes);
}

} // namespace canang::cluster
