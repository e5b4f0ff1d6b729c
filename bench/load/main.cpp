#include "bench/load/ceiling.hpp"
#include "bench/load/options.hpp"
#include "bench/load/report.hpp"
#include "bench/load/run.hpp"

#include <fmt/format.h>

#include <exception>
#include <stdexcept>

int main(int argc, char** argv) {
  using namespace canang::load;
  try {
    const auto line = parse_command_line(argc, argv);
    if (line.what == command::leave)
      return line.exit_code;
    if (line.what == command::ceiling)
      return measure_ceiling(line.ceiling);
    if (line.what == command::resume)
      return resume(line.resume);
    const auto r = carry_out(line.run);
    if (line.run.json != "-")
      fmt::print("{}", summary(line.run, r));
    if (!line.run.json.empty())
      write_file(line.run.json, json(line.run, r));
    return r.exit_code();
  } catch (const std::invalid_argument& e) {
    fmt::print(stderr, "canang-load: {}\n", e.what());
    return exit_usage;
  } catch (const std::exception& e) {
    fmt::print(stderr, "canang-load: {}\n", e.what());
    return exit_unreachable;
  }
}
