// What comes on a channel: whatever is read is written again as it was.

#include "cluster/envelope.hpp"

#include "tests/fuzz/fuzz_input.hpp"

#include <string>
#include <string_view>

namespace {

using namespace canang::cluster;
using canang::fuzz::require;

void look_at(std::string_view bytes) {
  batch read;
  if (read_message(bytes, 0, read) != envelope_errc::none)
    return;
  if (read.is_removal) {
    require(read.publications.empty() && read.first > 0, "a removal is of an offset");
    return;
  }
  require(!read.publications.empty(), "a batch has publications");
  require(read.is_unordered() == read.epoch.empty(), "offsets are of an epoch");
  require(read.is_unordered() || read.last() >= read.first, "offsets begin at 1");
  auto offset = read.first;
  const auto header_end = bytes.find('\n') + 1;
  std::string again{bytes.substr(header_end, batch_header_bytes)};
  for (const auto& message : read.publications) {
    require(message->offset == (read.is_unordered() ? 0 : offset++), "offsets are consecutive");
    require(message->epoch == read.epoch, "all are of one epoch");
    append_publication(again, *message);
  }
  // a publisher of another origin is not kept, and more than one of the flags need not be
  require(again.size() == bytes.size() - header_end, "nothing is left over");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  look_at({reinterpret_cast<const char*>(data), size});
  return 0;
}
