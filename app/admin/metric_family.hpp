#pragma once

#include <string>
#include <string_view>

namespace canang::admin {

/// A family of metrics in Prometheus' text format. `out` and `name` outlive it.
class metric_family {
public:
  metric_family(std::string& out, std::string_view name, std::string_view kind,
                std::string_view help);

  /// `labels` without braces, values quoted; may be empty.
  void add(std::string_view labels, double value);

private:
  std::string& out_;
  std::string_view name_;
};

} // namespace canang::admin
