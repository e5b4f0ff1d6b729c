#include "app/trace_metrics_text.hpp"

#include "app/admin/metric_family.hpp"

namespace canang::app {

std::string trace_metrics_text(const net::trace_metrics* metrics) {
  std::string out;
  admin::metric_family spans{out, "canang_trace_spans_total", "counter",
                             "Spans of traces, by what became of them."};
  if (metrics != nullptr) {
    spans.add(R"(result="exported")", static_cast<double>(metrics->exported_total.value()));
    spans.add(R"(result="rejected")", static_cast<double>(metrics->rejected_total.value()));
    spans.add(R"(result="dropped")", static_cast<double>(metrics->dropped_total.value()));
  }
  admin::metric_family waiting{out, "canang_trace_spans_waiting", "gauge",
                               "Spans that the collector is to be told."};
  if (metrics != nullptr)
    waiting.add("", static_cast<double>(metrics->waiting.value()));
  return out;
}

} // namespace canang::app
