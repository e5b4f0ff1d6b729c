#include "app/admin/api_channels.hpp"

#include "net/json.hpp"

#include <caf/send.hpp>
#include <fmt/format.h>

#include <memory>
#include <utility>

namespace canang::admin {

namespace {

/// What all who keep rooms answer, put together: each room is kept by one. On the internal loop.
class room_collection {
public:
  room_collection(std::size_t keepers, std::string (*result_of)(const room_counts&),
                  api_handler&& handler)
    : missing_(keepers), result_of_(result_of), handler_(std::move(handler)) {}

  void take(cluster::room_list&& part) {
    if (part.error != cluster::broker_errc::none)
      all_.error = part.error;
    all_.is_too_long |= part.is_too_long;
    for (auto& room : part.rooms)
      all_.rooms.push_back(std::move(room));
    if (--missing_ == 0)
      handler_(outcome());
  }

private:
  [[nodiscard]] api_outcome outcome() {
    if (all_.error != cluster::broker_errc::none)
      return api_error{.code = api_errc::internal,
                       .message =
                         "internal server error: nobody answers for some rooms at present"};
    if (all_.is_too_long || all_.rooms.size() > max_api_channels)
      return api_error{
        .code = api_errc::limit_exceeded,
        .message = fmt::format("limit exceeded: more than {} channels, or too many to look at",
                               max_api_channels)};
    return result_of_(all_.rooms);
  }

  cluster::room_list all_;
  std::size_t missing_;
  std::string (*result_of_)(const room_counts&);
  api_handler handler_;
};

std::string channels_result(const room_counts& rooms) {
  std::string json = R"({"channels":{)";
  for (const auto& [room, members] : rooms) {
    if (json.back() != '{')
      json += ',';
    net::append_json_string(json, room);
    json += fmt::format(R"(:{{"num_clients":{}}})", members);
  }
  return json + "}}";
}

} // namespace

void tell_rooms(actors::server& node, std::string pattern,
                std::string (*result_of)(const room_counts&), api_handler handler) {
  const auto keepers = node.keepers();
  if (keepers.empty()) {
    handler(not_ready());
    return;
  }
  const auto all = std::make_shared<room_collection>(keepers.size(), result_of, std::move(handler));
  const cluster::room_list_request request{.pattern = pattern.empty() ? "*" : std::move(pattern),
                                           .limit = max_api_channels};
  for (const auto& keeper : keepers) {
    actors::room_list_query query;
    query.wanted = request;
    query.answer = [&node, all](cluster::room_list&& part) {
      const auto held = std::make_shared<cluster::room_list>(std::move(part));
      node.on_internal_loop([all, held] { all->take(std::move(*held)); });
    };
    caf::anon_send(keeper, std::move(query));
  }
}

void tell_channels(actors::server& node, api_channels&& wanted, api_handler handler) {
  tell_rooms(node, std::move(wanted.pattern), channels_result, std::move(handler));
}

} // namespace canang::admin
