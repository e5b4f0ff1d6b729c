#pragma once

#include "cluster/control/command.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// Who carries control messages between nodes. Messages may be lost, doubled, late, and come in any order. Calls
/// nobody from inside a call.
class control_carrier {
public:
  /// The runs of the nodes that have a lease, this one included or not; nothing while that is not known.
  [[nodiscard]] virtual std::vector<std::string> living() const = 0;

  /// How many ways there are. Each node listens on all of them; without any there are no other nodes.
  [[nodiscard]] virtual std::size_t ways() const = 0;

  [[nodiscard]] virtual bool is_up(std::size_t way) const = 0;

  /// Carries a message to a node, or to all with an empty `to`. If that fails `on_carry_failed` is told of the
  /// command's number; 0 where it is no command.
  virtual void carry(std::size_t way, std::string_view to, const std::string& message,
                     std::uint64_t number) = 0;

protected:
  ~control_carrier() = default;
};

/// Who does what a command says on this node.
class control_executor {
public:
  /// With the number of connections that were closed, removed, added or only counted.
  using done_handler = std::function<void(std::uint64_t)>;

  /// `done` is called once, at once or later.
  virtual void execute(const control_command& command, done_handler done) = 0;

protected:
  ~control_executor() = default;
};

} // namespace canang::cluster
