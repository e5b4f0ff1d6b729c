#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::app {

/// Largest configuration that is imported, in bytes, and how deep it may be nested.
inline constexpr std::size_t max_imported_bytes = 1024 * 1024;
inline constexpr std::size_t max_imported_depth = 64;

/// One key of a configuration that is imported, and what it says.
struct imported_key {
  enum class kind : std::uint8_t { nothing, flag, number, text, list, other };

  std::string path{}; ///< as it was written, for people: `client.ping_interval`, `proxies[0].name`
  std::string name{}; ///< the path in lower case, as keys have no case there
  kind what = kind::other;
  std::string text{};               ///< of a flag, a number or a text
  std::vector<std::string> items{}; ///< of a list of texts and numbers
  bool is_told = false;             ///< the output has it
  bool is_spare = false;            ///< given twice, or under two names: another one counted
};

/// The keys of one object, those of objects in it included. Whoever translates one takes it; what is left is told
/// in comments.
class imported_keys {
public:
  void add(imported_key key) { keys_.push_back(std::move(key)); }

  /// The first of `names`, in lower case, that is there and not null; the others that are there are spare. Null
  /// when there is none. An empty name is none.
  [[nodiscard]] const imported_key* take(std::initializer_list<std::string_view> names);

  [[nodiscard]] const std::vector<imported_key>& all() const noexcept { return keys_; }

private:
  std::vector<imported_key> keys_;
};

/// A configuration of Centrifugo: its keys, and apart from them those of each namespace.
struct imported_configuration {
  imported_keys root;
  std::vector<imported_keys> namespaces;
};

/// Reads a configuration in JSON.
/// @returns it, or a line that says why it cannot be read; no value is in it.
[[nodiscard]] std::variant<imported_configuration, std::string>
read_imported(std::string_view json);

} // namespace canang::app
