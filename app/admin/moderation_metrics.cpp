#include "app/admin/moderation_metrics.hpp"

#include "app/admin/metric_family.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace canang::admin {

namespace {

void add(std::string& out, std::string_view name, std::string_view kind, std::string_view help,
         std::uint64_t value) {
  metric_family{out, name, kind, help}.add({}, static_cast<double>(value));
}

} // namespace

std::string moderation_metrics(const cluster::moderation_state& state) {
  static constexpr std::array<std::string_view, 3> kinds{"ban", "mute", "lockdown"};
  const auto& counted = state.metrics;
  std::string out;
  add(out, "canang_moderation_known", "gauge", "1 when it is known who is banned.",
      state.source.is_known() ? 1 : 0);
  metric_family acts{out, "canang_moderation_acts", "gauge", "Acts of moderators in force."};
  for (std::size_t i = 0; i < kinds.size(); ++i)
    acts.add(fmt::format("act=\"{}\"", kinds[i]), static_cast<double>(counted.in_force[i].value()));
  add(out, "canang_moderation_memory_bytes", "gauge", "Memory of these.",
      counted.memory_bytes.value());
  metric_family orders{out, "canang_moderation_orders_total", "counter",
                       "Orders of moderators that came to this node."};
  orders.add("result=\"made\"", static_cast<double>(counted.made.value()));
  orders.add("result=\"lifted\"", static_cast<double>(counted.lifted.value()));
  orders.add("result=\"failed\"", static_cast<double>(counted.failed.value()));
  metric_family refused{out, "canang_moderation_refused_total", "counter",
                        "What clients were refused because of acts, slow modes and full rooms."};
  for (std::size_t i = 0; i < cluster::moderated_count; ++i)
    refused.add(fmt::format("reason=\"{}\"", cluster::moderated_names[i]),
                static_cast<double>(counted.refused[i].value()));
  add(out, "canang_moderation_ended_total", "counter",
      "Connections, and memberships of rooms, that bans have ended.", counted.ended.value());
  add(out, "canang_moderation_reads_total", "counter", "News of acts that Redis had.",
      counted.reads.value());
  add(out, "canang_moderation_bad_entries_total", "counter",
      "Acts in Redis that could not be read.", counted.bad_entries.value());
  add(out, "canang_moderation_put_back_total", "counter", "Acts that a Redis had lost.",
      counted.put_back.value());
  return out;
}

} // namespace canang::admin
