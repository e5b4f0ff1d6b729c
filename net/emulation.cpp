#include "net/emulation.hpp"

#include "base/hex_digit.hpp"
#include "base/parse_number.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace canang::net {

namespace {

constexpr std::size_t secret_bytes = 16; // 128 bits
constexpr std::size_t digits = 2 * secret_bytes;

/// From the kernel's generator: nobody can guess one from others.
std::string random_digits() {
  std::array<unsigned char, secret_bytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  std::string text;
  text.reserve(emulated_sessions::max_secret_size);
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 0xFU];
  }
  return text;
}

} // namespace

std::string emulated_sessions::add(emulated_session& session) {
  for (;;) {
    auto secret = random_digits();
    secret += std::to_string(loop_);
    if (sessions_.try_emplace(secret, &session).second)
      return secret;
  }
}

void emulated_sessions::remove(std::string_view secret) noexcept {
  if (const auto found = sessions_.find(secret); found != sessions_.end())
    sessions_.erase(found);
}

void emulated_sessions::take(std::string_view secret, std::string&& message,
                             const emulation_answer& answer) const {
  const auto found = sessions_.find(secret);
  if (found == sessions_.end())
    answer(emulation_outcome::unknown);
  else
    found->second->take(std::move(message), answer);
}

std::optional<std::uint32_t> loop_of_secret(std::string_view secret) noexcept {
  if (secret.size() <= digits || secret.size() > emulated_sessions::max_secret_size)
    return std::nullopt;
  const auto chance = secret.substr(0, digits);
  if (!std::all_of(chance.begin(), chance.end(), [](char c) { return hex_digit(c) >= 0; }))
    return std::nullopt;
  return parse_number<std::uint32_t>(secret.substr(digits));
}

} // namespace canang::net
