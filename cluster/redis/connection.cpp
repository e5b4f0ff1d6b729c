#include "cluster/redis/connection.hpp"

#include "cluster/redis/command.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

namespace canang::cluster {

std::string to_text(const host_port& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

void redis_connection::close(bool tells_pending) {
  owner_ = nullptr;
  shut();
  if (tells_pending)
    end_pending();
  else
    std::exchange(pending_, {}).clear();
}

void redis_connection::fail(redis_failure kind, const std::string& why) {
  if (state_ == state::closed)
    return;
  const auto self = shared_from_this();
  shut();
  end_pending();
  if (owner_ != nullptr) // a handler may have closed it
    std::exchange(owner_, nullptr)->on_closed(kind, why);
}

void redis_connection::shut() {
  state_ = state::closed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  resolver_.cancel();
  timer_.cancel();
}

// Also when a handler comes back here by closing: each ends once, in order.
void redis_connection::end_pending() {
  const auto self = shared_from_this();
  while (!pending_.empty()) {
    auto command = std::move(pending_.front());
    pending_.pop_front();
    const bool is_unsent = command.is_refused || command.begin >= handed_bytes_;
    command.handler(is_unsent ? redis_errc::not_connected : redis_errc::lost, {});
  }
}

bool redis_connection::has_room(std::size_t size) const noexcept {
  const auto waiting = unsent_.size() + writing_.size();
  return waiting == 0 || waiting + size <= most_unsent_bytes;
}

void redis_connection::command(std::span<const std::string_view> arguments, reply_handler handler) {
  std::size_t size = 0;
  for (const auto argument : arguments)
    size += argument.size() + 16;
  if (!has_room(size)) {
    refuse(std::move(handler));
    return;
  }
  const auto begin = appended_bytes_;
  const auto before = unsent_.size();
  append_redis_command(unsent_, arguments);
  appended_bytes_ += unsent_.size() - before;
  append_pending(std::move(handler), begin);
}

void redis_connection::command(std::string_view first, std::string_view second,
                               std::string_view rest, std::size_t count, reply_handler handler) {
  if (!has_room(first.size() + second.size() + rest.size() + 48)) {
    refuse(std::move(handler));
    return;
  }
  const auto begin = appended_bytes_;
  const auto before = unsent_.size();
  append_redis_header(unsent_, '*', count);
  append_redis_string(unsent_, first);
  append_redis_string(unsent_, second);
  unsent_ += rest;
  appended_bytes_ += unsent_.size() - before;
  append_pending(std::move(handler), begin);
}

bool redis_connection::push(std::span<const std::string_view> arguments) {
  std::size_t size = 0;
  for (const auto argument : arguments)
    size += argument.size() + 16;
  if (!has_room(size))
    return false;
  const auto before = unsent_.size();
  append_redis_command(unsent_, arguments);
  appended_bytes_ += unsent_.size() - before;
  write_soon();
  return true;
}

void redis_connection::append_pending(reply_handler handler, std::uint64_t begin) {
  pending_.push_back({std::move(handler), redis_clock::now(), begin});
  write_soon();
  if (state_ == state::ready)
    watch_pending();
}

// What leaves no room waits itself, so there is a reply to come that this one is behind of.
void redis_connection::refuse(reply_handler handler) {
  pending_.push_back({std::move(handler), redis_clock::now(), appended_bytes_, true});
}

void redis_connection::end_refused() {
  while (!pending_.empty() && pending_.front().is_refused) {
    auto command = std::move(pending_.front());
    pending_.pop_front();
    command.handler(redis_errc::not_connected, {});
  }
}

void redis_connection::on_bytes(std::size_t size) {
  counters_.received_bytes.add(size);
  reader_.feed(input_.data(), size);
  redis_reply reply;
  while (state_ != state::closed && reader_.next(reply))
    on_reply(reply);
  if (state_ == state::closed)
    return;
  if (!reader_.error().empty()) {
    fail(redis_failure::unreachable, "what it sends is not Redis' protocol: " + reader_.error());
    return;
  }
  if (state_ == state::ready)
    owner_->on_read_end();
}

void redis_connection::on_reply(const redis_reply& reply) {
  if (pending_.empty()) {
    if (state_ == state::ready)
      owner_->on_push(reply);
    else
      fail(redis_failure::unreachable, "it sends a reply that nobody asked for");
    return;
  }
  is_last_chance_ = false;
  auto command = std::move(pending_.front());
  pending_.pop_front();
  command.handler(redis_errc::none, reply);
  end_refused();
}

void redis_connection::watch_pending() {
  if (is_watching_ || pending_.empty())
    return;
  is_watching_ = true;
  const auto wait = is_last_chance_ ? redis_clock::now() + options_.command_timeout / 10
                                    : pending_.front().since + options_.command_timeout;
  timer_.expires_at(wait);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    if (!ec && self->state_ == state::ready)
      self->on_timer();
  });
}

// A node that was stopped itself finds timer and reply due at once: the reply gets its chance.
void redis_connection::on_timer() {
  is_watching_ = false;
  if (!pending_.empty()
      && redis_clock::now() - pending_.front().since >= options_.command_timeout) {
    if (is_last_chance_) {
      fail(redis_failure::unreachable,
           fmt::format("no reply within {} ms", options_.command_timeout.count()));
      return;
    }
    is_last_chance_ = true;
  }
  watch_pending();
}

} // namespace canang::cluster
