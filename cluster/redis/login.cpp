// How a connection introduces itself, and what of the answers it can't live with.

#include "cluster/redis/connection.hpp"
#include "cluster/redis/refusal.hpp"

#include <fmt/format.h>

namespace canang::cluster {
namespace {

bool is_refusal(std::string_view error) {
  return error.starts_with("NOAUTH") || error.starts_with("WRONGPASS")
         || error.starts_with("NOPERM");
}

/// All that may be said of an error that could repeat our arguments.
std::string_view code_of(std::string_view error) { return error.substr(0, error.find(' ')); }

/// What Redis says to a connection, whatever it was asked.
bool is_general(std::string_view error) {
  return error.starts_with("ERR max number of clients") || error.starts_with("DENIED")
         || error.starts_with("LOADING");
}

} // namespace

void redis_connection::log_in() {
  state_ = state::logging_in;
  if (login_.is_sentinel) {
    become_ready();
    return;
  }
  // All in one packet; the first answer that will not do ends it.
  const auto step = [this](void (redis_connection::*on_answer)(const redis_reply&)) {
    return [this, on_answer](redis_errc error, const redis_reply& reply) {
      if (error == redis_errc::none && state_ == state::logging_in)
        (this->*on_answer)(reply);
    };
  };
  if (!login_.user.empty())
    command(std::array<std::string_view, 3>{"AUTH", login_.user, login_.password},
            step(&redis_connection::on_auth));
  else if (!login_.password.empty())
    command(std::array<std::string_view, 2>{"AUTH", login_.password},
            step(&redis_connection::on_auth));
  command(std::array<std::string_view, 1>{"HELLO"}, step(&redis_connection::on_hello));
  if (login_.database != 0)
    command(std::array<std::string_view, 2>{"SELECT", std::to_string(login_.database)},
            step(&redis_connection::on_select));
  command(std::array<std::string_view, 3>{"CLIENT", "SETNAME", login_.client_name},
          step(&redis_connection::on_named));
  command(std::array<std::string_view, 1>{"ROLE"}, step(&redis_connection::on_role));
  command(std::array<std::string_view, 1>{"PING"}, step(&redis_connection::on_ping));
}

void redis_connection::on_auth(const redis_reply& reply) {
  if (!reply.is_error())
    return;
  if (is_general(reply.text()))
    fail(redis_failure::unreachable, std::string{reply.text()});
  else // never its whole text: "unknown command 'AUTH', with args beginning with: ..."
    fail(redis_failure::refused,
         fmt::format("the user or password is refused ({})", code_of(reply.text())));
}

// What it is: no ACL refuses HELLO, and a server that does not know it is none of these.
void redis_connection::on_hello(const redis_reply& reply) {
  const auto mode = reply.field("mode").text();
  if (mode == "cluster")
    fail(redis_failure::unreachable,
         "it is in cluster mode, which is not supported: name a Redis without cluster-enabled");
  else if (mode == "sentinel")
    fail(redis_failure::unreachable, "it is a Sentinel: name it as sentinel://");
  else if (reply.field("role").text() == "replica")
    fail(redis_failure::unreachable, "it is a replica");
}

void redis_connection::on_select(const redis_reply& reply) {
  if (!reply.is_error())
    return;
  if (is_general(reply.text()))
    fail(redis_failure::unreachable, std::string{reply.text()});
  else if (reply.text().starts_with("NOAUTH"))
    fail(redis_failure::refused, "a password is needed");
  else
    fail(is_refusal(reply.text()) ? redis_failure::refused : redis_failure::no_database,
         fmt::format("database {} can't be used: {}", login_.database, reply.text()));
}

// A name is only for show.
void redis_connection::on_named(const redis_reply& reply) {
  if (reply.is_error() && is_acl_refusal(reply.text()))
    owner_->on_refusal("client|setname", reply);
}

// A replica would let us subscribe and even publish, and would take no write.
void redis_connection::on_role(const redis_reply& reply) {
  if (reply.text().starts_with("NOAUTH"))
    fail(redis_failure::refused, "a password is needed");
  else if (is_general(reply.text()))
    fail(redis_failure::unreachable, std::string{reply.text()});
  else if (reply.is_error() && is_acl_refusal(reply.text()))
    owner_->on_refusal("role", reply);
  else if (reply.is_array() && reply[0].text() != "master")
    fail(redis_failure::unreachable,
         reply[0].text() == "slave" ? "it is a replica" : "it is not a master");
}

// ROLE is answered by a Redis that is still loading its data, PING is not.
void redis_connection::on_ping(const redis_reply& reply) {
  if (reply.is_error() && !is_acl_refusal(reply.text())) {
    fail(redis_failure::unreachable, std::string{reply.text()});
    return;
  }
  if (reply.is_error())
    owner_->on_refusal("ping", reply);
  become_ready();
}

void redis_connection::become_ready() {
  state_ = state::ready;
  timer_.cancel();
  owner_->on_ready();
}

} // namespace canang::cluster
