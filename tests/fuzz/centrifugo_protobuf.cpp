// Commands of Centrifugo's protocol in Protobuf: no bytes throw, and all that is given is of them.

#include "net/utf8.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/support/described_request.hpp"

#include <string_view>

namespace {

using namespace canang::net;
using namespace canang::net::centrifugo;
using canang::fuzz::require;
using canang::test::described;

void look_at_view(std::string_view view, std::string_view message) {
  require(view.empty()
            || (view.data() >= message.data()
                && view.data() + view.size() <= message.data() + message.size()),
          "it is where it was sent");
}

void look_at_command(const request& said, std::string_view message) {
  look_at_view(said.data, message);
  for (const auto text : {said.channel, said.token, said.name, said.version, said.epoch, said.delta,
                          said.rpc_method, said.since ? said.since->epoch : std::string_view{}}) {
    look_at_view(text, message);
    require(is_utf8(text), "a string is UTF-8");
  }
  require(said.what != method::unknown || said.id != 0, "what is not known is asked by somebody");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message{reinterpret_cast<const char*>(data), size};
  auto& reader = protobuf_requests();
  request said;
  std::size_t commands = 0;
  reader.begin(message);
  auto result = reader.next(said);
  for (; result == read_result::command; result = reader.next(said)) {
    look_at_command(said, message);
    ++commands;
  }
  require(commands <= max_commands_in_message && commands <= size, "there are not too many");
  require(reader.next(said) == result, "the end and a fault stay");
  require(described(reader, message) == described(reader, message), "it says the same again");
  return 0;
}
