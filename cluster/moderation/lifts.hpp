#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace canang::cluster {

/// Which acts were lifted, and when that was ordered: the latest of them, as many as Redis remembers. Owned by a book.
class moderation_lifts {
public:
  static constexpr std::size_t max_remembered = 1024;

  using map = std::map<std::string, std::uint64_t, std::less<>>;

  void set(const std::string& key, std::uint64_t made_ms);
  void erase(std::string_view key);

  /// 0: it is not known that it was lifted.
  [[nodiscard]] std::uint64_t made_ms(std::string_view key) const;

  [[nodiscard]] const map& all() const noexcept { return by_key_; }

private:
  map by_key_;
  std::set<std::pair<std::uint64_t, std::string>> by_time_;
};

} // namespace canang::cluster
