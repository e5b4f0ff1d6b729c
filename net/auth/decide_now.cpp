#include "net/auth/decide_now.hpp"

#include <memory>

namespace canang::net {

bool decide_now(authorizer& of, const room_question& question) {
  const auto said =
    std::make_shared<verdict>(verdict::unavailable); // one who decides later finds nobody here
  of.decide(question, [said](verdict decided) { *said = decided; });
  return *said == verdict::allowed;
}

} // namespace canang::net
