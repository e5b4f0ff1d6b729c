#pragma once

#include "base/memory_cost.hpp"
#include "base/name_map.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace canang::actors {

/// Which connections of a loop are of which user. Those without a user are not in it and cost nothing. Part of the
/// loop's fan-out, on its thread.
class user_index {
public:
  using connection_id = std::uint64_t;

  /// A connection is of that user from now on; once a connection. Without a name it does nothing.
  void add(std::string_view user, connection_id id);

  /// It is gone, or no user's any more. One that is not in it is ignored.
  void remove(connection_id id);

  /// All connections of a user.
  [[nodiscard]] std::vector<connection_id> of(std::string_view user) const;

  /// Whether a connection is of that user; with an empty name, whether it is of none.
  [[nodiscard]] bool is_of(std::string_view user, connection_id id) const;

  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

  /// Bytes of memory that it takes.
  [[nodiscard]] std::size_t cost() const noexcept;

  /// Gives back what it had for a crowd that is gone. To be called now and then.
  void shrink();

private:
  using user_map = name_map<std::vector<connection_id>>;

  /// Where a connection stands: in the list of its user. References to the map's entries stay valid.
  struct place {
    user_map::value_type* user;
    std::size_t position;
  };

  user_map by_user_;
  std::unordered_map<connection_id, place> by_id_;
  std::size_t names_cost_ = 0;
};

} // namespace canang::actors
