#include "net/auth/token_authorizer.hpp"

#include "net/loop_context.hpp"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace canang::net {

namespace {

/// What is wrong, or nothing.
proof proof_of(const std::optional<token_result>& result) {
  if (!result)
    return proof::unavailable;
  const auto* const fault = std::get_if<token_fault>(&*result);
  if (fault == nullptr)
    return proof::good;
  spdlog::debug("a token is refused: {}", to_string(*fault));
  const bool is_of_its_time = *fault == token_fault::expired || *fault == token_fault::not_yet;
  return is_of_its_time ? proof::expired : proof::bad; // another one may be good
}

/// A client's token, or one of the room that it wants to be in, which is bound to no connection that it had before.
bool is_for(const token_claims& claims, std::string_view room) {
  return !claims.channel || (!room.empty() && *claims.channel == room && claims.client.empty());
}

/// A token of a room lets its bearer into that room.
token_grant grant_of_room(std::string room) {
  return {.pattern = std::move(room),
          .match = token_grant::kind::exact,
          .rights = token_grant::subscribe};
}

client_admission admission_of(token_claims&& claims) {
  client_admission admitted{.who = {.user = std::move(claims.user),
                                    .is_proved = true,
                                    .info = std::move(claims.info),
                                    .grants = std::move(claims.grants)},
                            .expires_at = claims.expires_at,
                            .rooms = std::move(claims.rooms)};
  if (claims.channel)
    admitted.who.grants.push_back(grant_of_room(std::move(*claims.channel)));
  return admitted;
}

} // namespace

void token_authorizer::count(proof what) {
  context_.metrics.token_checks_total[static_cast<std::size_t>(what)].add(1);
}

void token_authorizer::identify(credentials&& shown, identity_handler decided) {
  const bool are_tokens_expected = tokens_.are_expected();
  if (shown.is_of_field && !are_tokens_expected)
    shown.token.clear(); // of a proxy in front
  if (!shown.token.empty()) {
    identify_by_token(std::move(shown), std::move(decided));
    return;
  }
  const bool may_come = anonymous_ == anonymous_clients::all
                        || (anonymous_ == anonymous_clients::without_keys && !are_tokens_expected);
  if (!may_come) {
    count(proof::missing);
    decided(proof::missing, {});
    return;
  }
  if (are_tokens_expected)
    shown.user.clear(); // anybody could say that
  rooms_.identify(std::move(shown), std::move(decided));
}

/// Rooms that are for no client are not entered by a claim either.
void token_authorizer::identify_by_token(credentials&& shown, identity_handler decided) {
  const auto lane = shown.is_known ? token_checks::lane::known : token_checks::lane::stranger;
  check(shown.token, lane,
        [this, room = std::move(shown.room), decided = std::move(decided)](proof is,
                                                                           token_claims&& claims) {
          if (is == proof::good && !is_for(claims, room))
            is = proof::bad;
          count(is);
          if (is != proof::good) {
            decided(is, {});
            return;
          }
          auto admitted = admission_of(std::move(claims));
          std::erase_if(admitted.rooms,
                        [this](const auto& one) { return !rooms_.is_for_clients(one); });
          decided(is, std::move(admitted));
        });
}

void token_authorizer::check_pass(const pass_question& question, pass_handler decided) {
  check(question.token, token_checks::lane::known,
        [this, room = std::string{question.room}, user = question.who.user,
         client = std::string{question.client},
         decided = std::move(decided)](proof is, token_claims&& claims) {
          const bool is_for_this = claims.channel == room && claims.user == user
                                   && (claims.client.empty() || claims.client == client)
                                   && rooms_.is_for_clients(room);
          if (is == proof::good && !is_for_this)
            is = proof::bad;
          count(is);
          decided(is, is == proof::good ? room_pass{claims.expires_at, std::move(claims.info)}
                                        : room_pass{});
        });
}

void token_authorizer::check(std::string_view token, token_checks::lane of, claims_handler done) {
  tokens_.check(
    token, of, context_.io, [done = std::move(done)](std::optional<token_result> result) {
      const auto is = proof_of(result);
      done(is, is == proof::good ? std::get<token_claims>(std::move(*result)) : token_claims{});
    });
}

} // namespace canang::net
