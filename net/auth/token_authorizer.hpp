#pragma once

#include "net/auth/authorizer.hpp"
#include "net/auth/settings_authorizer.hpp"
#include "net/auth/token_checks.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace canang::net {

struct loop_context;

/// Who may come without a token, as the operator says it.
enum class anonymous_clients : std::uint8_t {
  none,
  without_keys, ///< everybody while there is no key for tokens, and nobody then
  all,          ///< but without a name where there are keys
};

/// Decides by tokens who clients are, and which rooms they may enter with a token of the room; the rest is
/// `settings_authorizer`'s. One a loop, on that loop.
class token_authorizer final : public authorizer {
public:
  /// Those that are referred to outlive it.
  token_authorizer(settings_authorizer& rooms, token_checks& tokens, anonymous_clients anonymous,
                   loop_context& context)
    : rooms_(rooms), tokens_(tokens), anonymous_(anonymous), context_(context) {}

  void identify(credentials&& shown, identity_handler decided) override;
  void decide(const room_question& question, handler decided) override {
    rooms_.decide(question, std::move(decided));
  }
  void check_pass(const pass_question& question, pass_handler decided) override;

  [[nodiscard]] bool are_tokens_expected() const noexcept override {
    return tokens_.are_expected();
  }

  [[nodiscard]] std::uint64_t generation() const noexcept override { return rooms_.generation(); }

private:
  using claims_handler = std::function<void(proof, token_claims&&)>;

  void identify_by_token(credentials&& shown, identity_handler decided);
  void check(std::string_view token, token_checks::lane of, claims_handler done);
  void count(proof what);

  settings_authorizer& rooms_;
  token_checks& tokens_;
  const anonymous_clients anonymous_;
  loop_context& context_;
};

} // namespace canang::net
