#include "bench/load/handshake.hpp"
#include "bench/load/resume_loop.hpp"

#include <fmt/format.h>

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace canang::load {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{256} << 10;
constexpr std::uint64_t ms_ns = 1'000'000;
// As the chat page comes back (web/backoff.js): full jitter, so that all do not come at once.
constexpr double first_delay_ms = 500;
constexpr double longest_delay_ms = 15'000;
constexpr std::uint64_t stable_ns = 5'000 * ms_ns;
constexpr std::uint32_t most_doublings = 10;

} // namespace

resume_loop::resume_loop(const resume_options& o)
  : opts_(o),
    url_(parse_url(o.url)),
    server_(resolve(url_.host, url_.port)),
    epoll_(epoll_create1(EPOLL_CLOEXEC)),
    journal_(o.journal),
    members_(std::size_t{o.rooms} * o.members),
    turns_(o.rooms),
    buffer_(buffer_bytes),
    random_(o.seed) {
  if (!epoll_)
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  for (const auto& address : o.sources)
    sources_.push_back(resolve(address, "0"));
  const auto begin_ns = static_cast<double>(steady_ns());
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    away_.emplace(static_cast<std::uint64_t>(begin_ns + i * 1e9 / o.ramp_up_per_s), i);
}

std::string resume_loop::room_of(std::uint32_t index) const {
  return opts_.room_prefix + std::to_string(index / opts_.members);
}

void resume_loop::start_due(std::uint64_t now) {
  while (!away_.empty() && away_.top().first <= now) {
    const auto index = away_.top().second;
    away_.pop();
    start(index, now);
  }
}

void resume_loop::start(std::uint32_t index, std::uint64_t now) {
  auto& m = members_[index];
  m.at = place::connecting;
  m.begun_ns = now;
  journal_.note(now, 'c', index);
  m.fd = start_connect(server_, sources_.empty() ? nullptr : &sources_[index % sources_.size()], 0);
  epoll_event e{};
  e.events = EPOLLOUT;
  e.data.u32 = index;
  if (!m.fd || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, m.fd.get(), &e) != 0)
    fail(index, std::strerror(errno));
}

void resume_loop::finish_connect(std::uint32_t index) {
  auto& m = members_[index];
  if (const int error = connect_error(m.fd.get()); error != 0)
    return fail(index, std::strerror(error));
  auto target = url_.path;
  if (!target.ends_with('/'))
    target += '/';
  target += room_of(index);
  target +=
    m.epoch.empty() ? std::string{"?meta=true"} : fmt::format("?since={}:{}", m.epoch, m.offset);
  m.key = handshake::make_key(random_(), random_());
  m.out = handshake::request(url_.authority(), target, m.key, {});
  m.at = place::handshaking;
  m.waits_for_write = true; // so that flush() turns EPOLLOUT off
  flush(index);
}

void resume_loop::read_handshake(std::uint32_t index) {
  auto& m = members_[index];
  const auto kept = m.reader.restore(buffer_.data());
  const auto n = ::recv(m.fd.get(), buffer_.data() + kept, buffer_.size() - kept, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    return fail(index, n == 0 ? "closed during the handshake" : std::strerror(errno));
  const std::string_view bytes{buffer_.data(), kept + static_cast<std::size_t>(n)};
  const auto answer = handshake::read_answer(bytes, m.key);
  if (!answer)
    return m.reader.keep(bytes);
  if (!answer->error.empty())
    return fail(index, answer->error);
  const auto now = steady_ns();
  const auto node = handshake::header_value(bytes.substr(0, answer->size), opts_.node_header);
  journal_.note(now, 'u', index, node.empty() ? "-" : node);
  m.at = place::joining;
  m.reader.keep({});
  const auto rest = bytes.substr(answer->size);
  std::memmove(buffer_.data(), rest.data(), rest.size());
  take_bytes(index, rest.size(), now);
}

void resume_loop::fail_overdue(std::uint64_t now) {
  const auto limit_ns = static_cast<std::uint64_t>(opts_.connect_timeout.count()) * ms_ns;
  const auto silence_ns = static_cast<std::uint64_t>(opts_.silence_limit.count()) * ms_ns;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    const auto& m = members_[i];
    const bool is_starting = m.at != place::away && m.at != place::open;
    if (is_starting && now > m.begun_ns + limit_ns)
      fail(i, "timed out");
    else if (m.at == place::open && silence_ns > 0 && now > m.heard_ns + silence_ns)
      lose(i, "1006"); // the machine of the other end may be gone, without a word
  }
}

void resume_loop::flush(std::uint32_t index) {
  auto& m = members_[index];
  while (!m.out.empty()) {
    const auto n = ::send(m.fd.get(), m.out.data(), m.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      break;
    if (n < 0) // reading tells, once what came before the end has been read
      m.out.clear();
    else
      m.out.erase(0, static_cast<std::size_t>(n));
  }
  if (m.waits_for_write == !m.out.empty())
    return;
  m.waits_for_write = !m.out.empty();
  epoll_event e{};
  e.events = EPOLLIN | (m.waits_for_write ? EPOLLOUT : 0U);
  e.data.u32 = index;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, m.fd.get(), &e);
}

void resume_loop::lose(std::uint32_t index, std::string_view code) {
  auto& m = members_[index];
  if (m.at != place::open)
    return fail(index, fmt::format("closed with {} before the join", code));
  const auto now = steady_ns();
  journal_.note(now, 'x', index, code);
  ++tally_.closes;
  --open_;
  if (now - m.begun_ns >= stable_ns)
    m.attempt = 0;
  come_back(index, now);
}

void resume_loop::fail(std::uint32_t index, std::string_view why) {
  const auto now = steady_ns();
  journal_.note(now, 'f', index, why);
  come_back(index, now);
}

void resume_loop::come_back(std::uint32_t index, std::uint64_t now) {
  auto& m = members_[index];
  m.fd.close();
  m.at = place::away;
  m.reader = {};
  m.out.clear();
  const auto doublings = static_cast<double>(1U << std::min(m.attempt++, most_doublings));
  const double delay_ms = std::min(longest_delay_ms, first_delay_ms * doublings)
                          * std::uniform_real_distribution<>{}(random_);
  away_.emplace(now + static_cast<std::uint64_t>(delay_ms * ms_ns), index);
}

} // namespace canang::load
