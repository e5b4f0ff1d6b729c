// Any bytes from a Redis, whole and in pieces.

#include "cluster/redis/reader.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace canang::cluster;
using canang::fuzz::require;

/// All that can be asked of a reply, as text.
void describe(const redis_reply& reply, std::string& all) {
  all += reply.is_nil() ? 'n' : reply.is_error() ? 'e' : reply.is_integer() ? 'i' : 's';
  all += std::to_string(reply.integer());
  all += reply.text();
  require(reply.is_array() || reply.size() == 0, "only an array has elements");
  require(reply[reply.size()].is_nil(), "there is nothing behind the last");
  for (std::size_t i = 0; i < std::min<std::size_t>(reply.size(), 1000); ++i) {
    all += '[';
    describe(reply[i], all);
  }
}

/// What comes out of bytes that come in pieces of a size.
std::string read(std::string_view bytes, std::size_t piece, bool& is_bad) {
  redis_reader reader;
  redis_reply reply;
  std::string all;
  while (!bytes.empty()) {
    const auto now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    reader.feed(now.data(), now.size());
    while (reader.next(reply)) {
      describe(reply, all);
      all += '\n';
    }
  }
  is_bad = !reader.error().empty();
  require(!is_bad || !reader.feed("+OK\r\n", 5), "nothing is taken after an error");
  require(!is_bad || !reader.next(reply), "nothing comes after an error");
  return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto piece = in.byte() % 16U + 1U;
  const auto bytes = canang::fuzz::text_of(in.all(4096));
  bool is_bad = false;
  bool is_bad_in_pieces = false;
  const auto whole = read(bytes, bytes.size(), is_bad);
  const auto pieces = read(bytes, piece, is_bad_in_pieces);
  require(is_bad == is_bad_in_pieces, "pieces change no error");
  require(whole == pieces, "pieces change no reply");
  return 0;
}
