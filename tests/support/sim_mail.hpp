#pragma once

#include "actors/runtime/pinned.hpp"

#include <caf/mailbox_element.hpp>

#include <string>

/// A look into the mailbox of an actor that is about to run.

namespace canang::sim {

/// What the actor handles next; null when it has ended meanwhile.
[[nodiscard]] const caf::mailbox_element* next_element(actors::pinned& actor);

/// The same, if it is a `T`.
template <class T>
const T* next_message(actors::pinned& actor) {
  const auto* const element = next_element(actor);
  if (element == nullptr || !element->content().match_elements<T>())
    return nullptr;
  return &element->content().template get_as<T>(0);
}

/// Its name, for traces.
[[nodiscard]] std::string name_of_next(actors::pinned& actor);

} // namespace canang::sim
