#include "bench/load/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <stdexcept>

namespace canang::load {

namespace {
constexpr std::size_t flush_at_bytes = std::size_t{64} << 10;
}

journal::journal(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "w")) {
  if (!file_)
    throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(errno)));
}

void journal::head(std::uint32_t rooms, std::uint32_t members) {
  fmt::format_to(std::back_inserter(waiting_), "# rooms {} members {}\n", rooms, members);
}

void journal::note(std::uint64_t now_ns, char letter, std::uint32_t member, std::string_view rest) {
  begin_line(now_ns, letter, member);
  if (!rest.empty()) {
    const auto at = waiting_.size();
    waiting_.append(" ").append(rest);
    std::replace(waiting_.begin() + static_cast<std::ptrdiff_t>(at) + 1, waiting_.end(), ' ', '_');
  }
  end_line();
}

void journal::note(std::uint64_t now_ns, char letter, std::uint32_t member, std::string_view epoch,
                   std::uint64_t offset, std::string_view rest) {
  begin_line(now_ns, letter, member);
  fmt::format_to(std::back_inserter(waiting_), " {} {} {}", epoch, offset, rest);
  end_line();
}

void journal::begin_line(std::uint64_t now_ns, char letter, std::uint32_t member) {
  fmt::format_to(std::back_inserter(waiting_), "{} {} {}", now_ns / 1000, letter, member);
}

void journal::end_line() {
  waiting_ += '\n';
  if (waiting_.size() >= flush_at_bytes)
    flush();
}

void journal::end() {
  waiting_ += "# end\n";
  flush();
  if (has_failed_ || std::fflush(file_.get()) != 0)
    throw std::runtime_error(fmt::format("{}: could not be written whole", path_));
}

void journal::flush() noexcept {
  if (std::fwrite(waiting_.data(), 1, waiting_.size(), file_.get()) != waiting_.size())
    has_failed_ = true;
  waiting_.clear();
}

} // namespace canang::load
