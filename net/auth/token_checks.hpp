#pragma once

#include "net/auth/token.hpp"
#include "net/auth/token_keys.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

namespace canang::net {

/// What came of a token: what it claims, or what is wrong with it.
using token_result = std::variant<token_claims, token_fault>;

/// Checks the tokens of all loops. Signatures that take microseconds (HMAC) are checked at once; those of public keys,
/// which take a hundred times as long, on a thread of its own, which is begun when the first one comes. From any
/// thread; outlives the loops that ask.
class token_checks {
public:
  /// Nothing: it cannot be told at present, since too many wait or the key may yet come.
  using handler = std::function<void(std::optional<token_result>)>;

  /// Checks of a lane that wait for the thread, of all loops together: it needs some seconds for them.
  static constexpr std::size_t max_waiting = 4096;

  /// @param keys outlives it.
  /// @param on_unknown_key is called, from any thread, with the `kid` of a token whose key is not there; it says
  /// whether the key may come yet: then it cannot be told at present whether the token is good. Null: it may not.
  token_checks(const published_token_keys& keys, token_rules rules,
               std::function<bool(std::string_view)> on_unknown_key = {});
  token_checks(const token_checks&) = delete;
  token_checks& operator=(const token_checks&) = delete;

  ~token_checks() { stop(); }

  /// What waits is not answered any more, and nothing more is asked. Before the loops that have asked are destroyed.
  void stop();

  /// Whose token it is: those who are known go first, so that strangers keep nobody from staying.
  enum class lane : std::uint8_t { known, stranger };

  /// Whether there are keys, or are to be: else nobody has to show a token.
  [[nodiscard]] bool are_expected() const noexcept { return keys_.are_expected(); }

  /// `done` is called once: before the call ends, or later on the thread that runs `home`.
  void check(std::string_view token, lane of, boost::asio::io_context& home, handler done);

private:
  struct waiting_check {
    std::string token;
    boost::asio::io_context& home;
    handler done;
  };

  [[nodiscard]] std::optional<token_result> check_now(std::string_view token) const;
  [[nodiscard]] std::optional<token_result> check_safely(std::string_view token) const noexcept;
  void work(const std::stop_token& ends);
  [[nodiscard]] std::deque<waiting_check>* next_lane() noexcept;

  const published_token_keys& keys_;
  const token_rules rules_;
  const std::function<bool(std::string_view)> on_unknown_key_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<std::deque<waiting_check>, 2>
    waiting_; // by lane; with the mutex, as the thread's beginning
  std::jthread worker_;
};

} // namespace canang::net
