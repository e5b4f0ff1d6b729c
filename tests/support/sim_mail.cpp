#include "tests/support/sim_mail.hpp"

#include "actors/messages.hpp"

#include <caf/message.hpp>

#include <string_view>

namespace canang::sim {

const caf::mailbox_element* next_element(actors::pinned& actor) {
  auto& mailbox = actor.mailbox();
  return mailbox.closed() || mailbox.blocked() ? nullptr : mailbox.peek();
}

std::string name_of_next(actors::pinned& actor) {
  const auto* const element = next_element(actor);
  if (element == nullptr)
    return "nothing: it has ended";
  std::string name;
  const auto try_name = [&]<class T>(std::string_view text, const T*) {
    if (element->content().match_elements<T>())
      name = text;
  };
#define CANANG_TRY(type) try_name(#type, static_cast<const actors::type*>(nullptr))
  CANANG_TRY(join_room);
  CANANG_TRY(leave_room);
  CANANG_TRY(add_member);
  CANANG_TRY(remove_member);
  CANANG_TRY(publish);
  CANANG_TRY(deliver);
  CANANG_TRY(room_empty);
  CANANG_TRY(room_failed);
  CANANG_TRY(tick);
  CANANG_TRY(drain);
#undef CANANG_TRY
  return name.empty() ? caf::to_string(element->copy_content_to_message()) : name;
}

} // namespace canang::sim
