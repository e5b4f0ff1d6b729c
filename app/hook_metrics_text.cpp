#include "app/hook_metrics_text.hpp"

#include "app/admin/metric_family.hpp"

#include <fmt/format.h>

#include <string_view>

namespace canang::app {

namespace {

using net::latency_histogram;

/// Of those that there are.
class hook_text {
public:
  hook_text(const net::hook_settings& settings, const net::hook_metrics* metrics, std::string& out)
    : settings_(settings), metrics_(metrics), out_(out) {}

  void add_requests() {
    admin::metric_family requests{out_, "canang_hook_requests_total", "counter",
                                  "Requests to the operator's program, by what came of them."};
    each_hook([&](const std::string& label, const auto& of) {
      for (std::size_t r = 0; r < net::hook_result_count; ++r)
        requests.add(fmt::format("{},result=\"{}\"", label,
                                 net::to_string(static_cast<net::hook_result_kind>(r))),
                     static_cast<double>(of.requests_total[r].value()));
    });
  }

  void add_durations() {
    constexpr std::string_view name = "canang_hook_duration_seconds";
    out_ += fmt::format("# HELP {} From a question to its answer, or to the end of the wait for "
                        "it.\n# TYPE {} histogram\n",
                        name, name);
    each_hook([&](const std::string& label, const auto& of) {
      std::uint64_t count = 0;
      for (std::size_t i = 0; i < latency_histogram::bucket_count; ++i) {
        count += of.duration.bucket(i);
        const auto bound =
          i < net::latency_bounds_ns.size()
            ? fmt::format("{}", static_cast<double>(net::latency_bounds_ns[i]) / 1e9)
            : std::string{"+Inf"};
        out_ += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, label, bound, count);
      }
      out_ += fmt::format("{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", name, label,
                          static_cast<double>(of.duration.sum_ns()) / 1e9, name, label, count);
    });
  }

  void add_breakers() {
    admin::metric_family breakers{out_, "canang_hook_breaker_state", "gauge",
                                  "0: the program is asked; 1: once, as a trial; 2: not for a "
                                  "while, since it has not answered."};
    each_hook([&](const std::string& label, const auto& of) {
      breakers.add(label, static_cast<double>(of.breaker.value()));
    });
  }

  void add_events() {
    admin::metric_family events{out_, "canang_hook_events_total", "counter",
                                "Events, by whether the program was told of them."};
    each_event([&](const std::string& label, const auto& of) {
      events.add(label + ",result=\"told\"", static_cast<double>(of.events_total.value()));
      events.add(label + ",result=\"lost\"", static_cast<double>(of.events_dropped.value()));
    });
  }

  void add_waiting_events() {
    admin::metric_family waiting{out_, "canang_hook_events_waiting", "gauge",
                                 "Events that the program is to be told of."};
    each_event([&](const std::string& label, const auto& of) {
      waiting.add(label, static_cast<double>(of.events_waiting.value()));
    });
  }

  void add_single(std::string_view name, std::string_view kind, std::string_view help,
                  net::counter net::hook_metrics::*which) {
    admin::metric_family family{out_, name, kind, help};
    if (metrics_ != nullptr)
      family.add("", static_cast<double>((metrics_->*which).value()));
  }

private:
  /// `visit` gets the label of each, and what is counted of it.
  template <class Visit>
  void each_hook(Visit visit) const {
    if (metrics_ == nullptr)
      return;
    for (std::size_t i = 0; i < net::hook_count; ++i)
      if (const auto what = static_cast<net::hook_kind>(i); settings_.of(what))
        visit(fmt::format("hook=\"{}\"", net::to_string(what)), metrics_->hooks[i]);
  }

  template <class Visit>
  void each_event(Visit visit) const {
    if (metrics_ == nullptr)
      return;
    for (const auto what : {net::hook_kind::disconnect, net::hook_kind::rooms})
      if (settings_.of(what))
        visit(fmt::format("hook=\"{}\"", net::to_string(what)),
              metrics_->hooks[static_cast<std::size_t>(what)]);
  }

  const net::hook_settings& settings_;
  const net::hook_metrics* metrics_; // null: there are none
  std::string& out_;
};

} // namespace

std::string hook_metrics_text(const net::hook_settings& settings,
                              const net::hook_metrics* metrics) {
  std::string out;
  hook_text text{settings, metrics, out};
  text.add_requests();
  text.add_durations();
  text.add_breakers();
  text.add_events();
  text.add_waiting_events();
  text.add_single("canang_hook_in_flight", "gauge", "Questions that are asked and not answered.",
                  &net::hook_metrics::in_flight);
  text.add_single("canang_hook_waiting", "gauge", "Questions that wait, since so many are asked.",
                  &net::hook_metrics::waiting);
  text.add_single("canang_hook_connections_total", "counter",
                  "Connections made to the operator's program.",
                  &net::hook_metrics::connections_total);
  return out;
}

} // namespace canang::app
