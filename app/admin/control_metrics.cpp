#include "app/admin/control_metrics.hpp"

#include "app/admin/metric_family.hpp"

#include <string_view>

namespace canang::admin {

namespace {

double value_of(const cluster::shard_counter& counter) {
  return static_cast<double>(counter.value());
}

void add(std::string& out, std::string_view name, std::string_view help,
         const cluster::shard_counter& counter) {
  metric_family{out, name, "counter", help}.add({}, value_of(counter));
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
  metric_family nodes{out, "canang_control_nodes_total", "counter",
                      "What came of this node's commands, for each node that was to be told."};
  nodes.add("outcome=\"done\"", value_of(metrics.done));
  nodes.add("outcome=\"unsupported\"", value_of(metrics.unsupported));
  nodes.add("outcome=\"timed_out\"", value_of(metrics.timed_out));
  nodes.add("outcome=\"gone\"", value_of(metrics.gone));
  nodes.add("outcome=\"late\"", value_of(metrics.late));
  metric_family bad{out, "canang_control_bad_messages_total", "counter",
                    "Messages on the control channels that were skipped."};
  bad.add("reason=\"foreign\"", value_of(metrics.bad_foreign));
  bad.add("reason=\"version\"", value_of(metrics.bad_version));
  bad.add("reason=\"malformed\"", value_of(metrics.bad_malformed));
  return out;
}

} // namespace canang::admin
