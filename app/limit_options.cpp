#include "app/limit_options.hpp"

#include "app/automatic.hpp"
#include "app/memory_budget.hpp"
#include "app/open_files.hpp"
#include "app/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace canang::app {

void add_admission_options(option_adder& adder, actors::server_options& into) {
  auto& limits = into.admission;
  limits.max_connections = automatic;
  limits.max_memory_bytes = automatic;
  into.outbox_budget_bytes = automatic;
  adder.add("--max-connections", limits.max_connections, auto_or(parse_count), "auto or a number",
            "auto", "connections that are taken; auto: what the limit of open files allows");
  adder.number(
    "--max-connections-per-ip", limits.connections_per_address, 0, 1'000'000'000, "0",
    "of an IPv4 address or an IPv6 /64, all kinds; 0 without limit, as behind a balancer");
  adder.add("--memory-limit", limits.max_memory_bytes, auto_or(parse_size),
            "auto or a size such as 512MiB", "auto",
            "memory in use above which none is taken; auto: 80 % of the cgroup's limit");
  adder.number("--accept-rate", limits.accepts_per_second, 0, 1'000'000, "0",
               "new connections a second that are taken, 0 without limit");
  adder.add("--outbox-budget", into.outbox_budget_bytes, auto_or(parse_size),
            "auto or a size such as 256MiB", "auto",
            "what may wait for and from clients; auto: a quarter of the memory limit; 0: no limit");
}

void add_rate_options(option_adder& adder, net::session_limits& into) {
  constexpr std::uint64_t most_messages = 1'000'000'000;
  constexpr std::uint64_t most_bytes = 64ULL << 30U;
  adder.number("--publish-rate", into.publishing.messages_a_second, 0, most_messages, "1000",
               "messages a second that one client may send; 0 without limit");
  adder.size("--publish-bytes-rate", into.publishing.bytes_a_second, 0, most_bytes, "1MiB",
             "bytes of messages a second that one client may send; 0 without limit");
  adder.number("--room-publish-rate", into.publishing_in_room.messages_a_second, 0, most_messages,
               "2000", "messages a second that all clients here may send to one room; 0: no limit");
  adder.size("--room-publish-bytes-rate", into.publishing_in_room.bytes_a_second, 0, most_bytes,
             "2MiB", "bytes of messages a second, the same; 0 without limit");
}

settled_limits settle_limits(actors::server_options& into) {
  auto& limits = into.admission;
  settled_limits result;
  const auto open_files = raise_open_files_limit();
  const file_users users{into.workers, into.cluster.shards.size()};
  if (open_files < least_files(users)) {
    result.fault = fmt::format("the limit of open files is {}; this node needs {} at least: "
                               "`ulimit -n`, LimitNOFILE=, or fewer --workers",
                               open_files, least_files(users));
    return result;
  }
  const auto wanted = limits.max_connections == 0 ? all_connections : limits.max_connections;
  const auto shares = share_files(open_files, users, wanted);
  limits.max_connections = shares.connections;
  into.loops.limits.max_http_connections = shares.http_connections_a_loop;
  if (wanted != all_connections && wanted > shares.connections)
    result.warning =
      fmt::format("--max-connections {} is more than the limit of open files ({}) has room for: "
                  "{} are taken",
                  wanted, open_files, shares.connections);
  auto budget = find_memory_budget();
  if (limits.max_memory_bytes == automatic)
    limits.max_memory_bytes =
      static_cast<std::uint64_t>(static_cast<double>(budget.limit_bytes) * admitted_part);
  if (into.outbox_budget_bytes == automatic)
    into.outbox_budget_bytes = limits.max_memory_bytes != 0
                                 ? std::max<std::uint64_t>(limits.max_memory_bytes / 4, 1)
                                 : default_outbox_budget_bytes;
  if (into.history_budget_bytes == automatic)
    into.history_budget_bytes = history_budget_of(limits.max_memory_bytes);
  if (into.max_rooms == automatic)
    into.max_rooms = max_rooms_of(limits.max_memory_bytes);
  into.memory_used = std::move(budget.used_bytes);
  return result;
}

} // namespace canang::app
