#include "cluster/redis/reply.hpp"

#include "base/parse_number.hpp"

#include <hiredis/hiredis.h>

namespace canang::cluster {

bool redis_reply::is_nil() const noexcept {
  return reply_ == nullptr || reply_->type == REDIS_REPLY_NIL;
}

bool redis_reply::is_error() const noexcept {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ERROR;
}

bool redis_reply::is_array() const noexcept {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ARRAY;
}

bool redis_reply::is_integer() const noexcept {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_INTEGER;
}

std::string_view redis_reply::text() const noexcept {
  if (reply_ == nullptr
      || (reply_->type != REDIS_REPLY_STRING && reply_->type != REDIS_REPLY_STATUS
          && reply_->type != REDIS_REPLY_ERROR))
    return {};
  return {reply_->str, reply_->len};
}

std::int64_t redis_reply::integer() const noexcept {
  if (is_integer())
    return reply_->integer;
  if (is_error())
    return 0;
  return parse_number<std::int64_t>(text()).value_or(0);
}

std::size_t redis_reply::size() const noexcept { return is_array() ? reply_->elements : 0; }

redis_reply redis_reply::operator[](std::size_t index) const noexcept {
  return index < size() ? redis_reply{reply_->element[index]} : redis_reply{};
}

redis_reply redis_reply::field(std::string_view name) const noexcept {
  for (std::size_t i = 0; i + 1 < size(); i += 2)
    if ((*this)[i].text() == name)
      return (*this)[i + 1];
  return {};
}

} // namespace canang::cluster
