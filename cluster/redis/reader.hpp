#pragma once

#include "cluster/redis/reply.hpp"

#include <cstddef>
#include <memory>
#include <string>

struct redisReader;

namespace canang::cluster {

/// Cuts what a connection brings into replies: hiredis' reader, with limits. Owned by a connection.
class redis_reader {
public:
  /// A server that announces more elements than this, or sends a longer reply, is none of ours.
  static constexpr std::size_t most_elements = 1024 * 1024;
  static constexpr std::size_t most_bytes = 256UL * 1024 * 1024;

  redis_reader();

  /// @returns false when it can't be right; `error` says why, and nothing comes out any more.
  bool feed(const char* data, std::size_t size);

  /// Takes the next whole reply, which is valid until the next call.
  /// @returns false when there is none (yet), or after an error.
  bool next(redis_reply& reply);

  /// Empty as long as all is well.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
  struct reader_deleter {
    void operator()(redisReader* reader) const noexcept;
  };
  struct reply_deleter {
    void operator()(redisReply* reply) const noexcept;
  };

  bool fail(const char* why);

  std::unique_ptr<redisReader, reader_deleter> reader_;
  std::unique_ptr<redisReply, reply_deleter> reply_;
  std::string error_;
};

} // namespace canang::cluster
