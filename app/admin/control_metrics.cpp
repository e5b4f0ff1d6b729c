#include "app/admin/control_metrics.hpp"

#include <fmt/format.h>

#include <string_view>

namespace canang::admin {

namespace {

void begin(std::string& out, std::string_view name, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} counter\n", name, help, name);
}

void add(std::string& out, std::string_view name, std::string_view help,
         const cluster::shard_counter& counter) {
  begin(out, name, help);
  out += fmt::format("{} {}\n", name, counter.value());
}

} // namespace

std::string control_metrics(const cluster::control_metrics& metrics) {
  std::string out;
  add(out, "canang_control_sent_total", "Commands of this node to all nodes.", metrics.sent);
  add(out, "canang_control_refused_total",
      "Commands that were not begun since too many waited for answers.", metrics.refused);
  add(out, "canang_control_retries_total", "Times that a command went out again.", metrics.retries);
  add(out, "canang_control_received_total", "Commands of other nodes, each once.",
      metrics.received);
  add(out, "canang_control_repeated_total", "Further copies of them, not executed again.",
      metrics.repeated);
  constexpr std::string_view nodes = "canang_control_nodes_total";
  begin(out, nodes, "What came of this node's commands, for each node that was to be told.");
  const auto add_outcome = [&](std::string_view outcome, const cluster::shard_counter& counter) {
    out += fmt::format("{}{{outcome=\"{}\"}} {}\n", nodes, outcome, counter.value());
  };
  add_outcome("done", metrics.done);
  add_outcome("unsupported", metrics.unsupported);
  add_outcome("timed_out", metrics.timed_out);
  add_outcome("gone", metrics.gone);
  add_outcome("late", metrics.late);
  constexpr std::string_view bad = "canang_control_bad_messages_total";
  begin(out, bad, "Messages on the control channels that were skipped.");
  const auto add_reason = [&](std::string_view reason, const cluster::shard_counter& counter) {
    out += fmt::format("{}{{reason=\"{}\"}} {}\n", bad, reason, counter.value());
  };
  add_reason("foreign", metrics.bad_foreign);
  add_reason("version", metrics.bad_version);
  add_reason("malformed", metrics.bad_malformed);
  return out;
}

} // namespace canang::admin
