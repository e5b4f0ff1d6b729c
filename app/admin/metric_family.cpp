#include "app/admin/metric_family.hpp"

#include <fmt/format.h>

namespace canang::admin {

metric_family::metric_family(std::string& out, std::string_view name, std::string_view kind,
                             std::string_view help)
  : out_(out), name_(name) {
  out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
}

void metric_family::add(std::string_view labels, double value) {
  if (labels.empty())
    out_ += fmt::format("{} {}\n", name_, value);
  else
    out_ += fmt::format("{}{{{}}} {}\n", name_, labels, value);
}

} // namespace canang::admin
