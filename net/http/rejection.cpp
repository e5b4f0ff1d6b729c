#include "net/http/rejection.hpp"

#include <utility>

namespace canang::net {

namespace {

/// What comes next goes to another node, if there is a balancer that has one.
constexpr const char* refusal_seconds = "1";

} // namespace

std::string_view refusal_text(reject_reason reason, std::string_view otherwise) noexcept {
  switch (reason) {
  case reject_reason::connections: return "this node has as many connections as it may";
  case reject_reason::memory: return "this node has no memory for more connections";
  case reject_reason::rate: return "too many new connections at once";
  case reject_reason::address: return "too many connections from this address";
  case reject_reason::rooms:
    return "this node has as many rooms as it may; those that exist can be joined";
  case reject_reason::forbidden: return "this client may not join that room";
  case reject_reason::no_token: return "a token is needed here";
  case reject_reason::bad_token: return "the token is not valid";
  case reject_reason::expired: return "the token has expired, or does not count yet";
  default: return otherwise;
  }
}

bool is_final(reject_reason reason) noexcept { return !refusal_status(reason).starts_with("503"); }

std::string_view refusal_status(reject_reason reason) noexcept {
  switch (reason) {
  case reject_reason::no_token:
  case reject_reason::bad_token:
  case reject_reason::expired: return "401 Unauthorized";
  case reject_reason::forbidden: return "403 Forbidden";
  default: return "503 Service Unavailable";
  }
}

rejection reject(reject_reason reason, unsigned status, std::string text) {
  return {reason, text_response(status, std::move(text))};
}

rejection reject_for_now(reject_reason reason) {
  // 503 has balancers try another node, which may have room; 429 is for this client alone
  const unsigned status = reason == reject_reason::address ? 429 : 503;
  auto wrong =
    reject(reason, status, std::string{refusal_text(reason, "this node takes no new connections")});
  wrong.response.headers.emplace_back("Retry-After", refusal_seconds);
  return wrong;
}

} // namespace canang::net
