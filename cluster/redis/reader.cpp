#include "cluster/redis/reader.hpp"

#include <hiredis/hiredis.h>

#include <new>

namespace canang::cluster {
namespace {

// hiredis allocates for as many elements as the server announces, whatever comes after it.
redisReplyObjectFunctions limited_functions(const redisReplyObjectFunctions& defaults) {
  static void* (*const create_array)(const redisReadTask*, int) = defaults.createArray;
  auto limited = defaults;
  limited.createArray = [](const redisReadTask* task, int elements) -> void* {
    if (elements < 0 || static_cast<std::size_t>(elements) > redis_reader::most_elements)
      return nullptr;
    return create_array(task, elements);
  };
  return limited;
}

} // namespace

redis_reader::redis_reader() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr)
    throw std::bad_alloc{};
  static redisReplyObjectFunctions functions = limited_functions(*reader_->fn);
  reader_->fn = &functions;
  reader_->maxbuf = 1024UL * 1024; // what is kept when it is empty; by default 16 KiB
}

bool redis_reader::feed(const char* data, std::size_t size) {
  if (!error_.empty())
    return false;
  if (reader_->len - reader_->pos + size > most_bytes)
    return fail("a reply is too long");
  if (redisReaderFeed(reader_.get(), data, size) != REDIS_OK)
    return fail(reader_->errstr);
  return true;
}

bool redis_reader::next(redis_reply& reply) {
  reply_.reset();
  if (!error_.empty())
    return false;
  void* whole = nullptr;
  if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK)
    return fail(reader_->errstr);
  reply_.reset(static_cast<redisReply*>(whole));
  reply = redis_reply{reply_.get()};
  return reply_ != nullptr;
}

bool redis_reader::fail(const char* why) {
  error_ = why;
  if (error_.empty())
    error_ = "not Redis' protocol";
  return false;
}

void redis_reader::reader_deleter::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

void redis_reader::reply_deleter::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

} // namespace canang::cluster
