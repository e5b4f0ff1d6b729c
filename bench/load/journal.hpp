#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace canang::load {

/// What the members of a `canang-load resume` went through, for a judge to read. Owned by its loop,
/// one thread. A line an event: microseconds of the steady clock, a letter, the member's number,
/// and, by letter:
///
///   c                          a connection is begun
///   u NODE                     the handshake was answered, by this node where the answer names it
///   j EPOCH OFFSET RECOVERED   a join frame; RECOVERED is 0 or 1
///   p EPOCH OFFSET ID          a publication; an event (joined, left) has an ID with a brace
///   s ID                       published; the ID is MEMBER:SEQUENCE
///   e CODE                     an error frame: a publish failed
///   x CODE                     the connection ended; 1006 is without a close frame
///   f WHY                      the connection failed before the join
///
/// The first line is `# rooms R members M`: member n is in room n / M. The last one is `# end`: what
/// lacks it is cut short.
class journal {
public:
  /// Throws std::runtime_error when the file can't be written.
  explicit journal(const std::string& path);
  ~journal() { flush(); }
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  void head(std::uint32_t rooms, std::uint32_t members);
  void note(std::uint64_t now_ns, char letter, std::uint32_t member, std::string_view rest = {});
  void note(std::uint64_t now_ns, char letter, std::uint32_t member, std::string_view epoch,
            std::uint64_t offset, std::string_view rest);
  /// Throws std::runtime_error when not all could be written.
  void end();

private:
  void flush() noexcept;
  void begin_line(std::uint64_t now_ns, char letter, std::uint32_t member);
  void end_line();

  struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, closer> file_;
  std::string waiting_;
  bool has_failed_ = false;
};

} // namespace canang::load
