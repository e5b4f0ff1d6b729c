#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

struct redisReply;

namespace canang::cluster {

/// A view of a reply of Redis; valid as long as the reply is, which is during the handler's call.
class redis_reply {
public:
  redis_reply() = default; ///< nil
  explicit redis_reply(const redisReply* reply) noexcept : reply_(reply) {}

  [[nodiscard]] bool is_nil() const noexcept;
  [[nodiscard]] bool is_error() const noexcept;
  [[nodiscard]] bool is_array() const noexcept;
  [[nodiscard]] bool is_integer() const noexcept;

  /// The text of a string, a status or an error; empty for everything else.
  [[nodiscard]] std::string_view text() const noexcept;

  /// The number, also of a string that is one; 0 for everything else.
  [[nodiscard]] std::int64_t integer() const noexcept;

  /// Elements of an array, 0 for everything else.
  [[nodiscard]] std::size_t size() const noexcept;

  /// An element; nil where there is none.
  [[nodiscard]] redis_reply operator[](std::size_t index) const noexcept;

  /// What follows `name` in an array of names and values; nil where there is none.
  [[nodiscard]] redis_reply field(std::string_view name) const noexcept;

private:
  const redisReply* reply_ = nullptr;
};

} // namespace canang::cluster
