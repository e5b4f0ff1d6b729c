// Bodies of requests to /emulation, in both formats: what is taken is what another parser finds there, and a session
// hears only what names it.

#include "net/emulation.hpp"

#include "net/protocol/centrifugo/emulation_body.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <simdjson.h>

#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace canang::net;
using namespace canang::net::centrifugo;
using canang::fuzz::require;

struct only_session final : emulated_session {
  std::size_t heard = 0;

  void take(std::string&&, emulation_answer answer) override {
    ++heard;
    answer(emulation_outcome::taken);
  }
};

void look_at(const emulation_request& read, std::string_view body) {
  require(!read.node.empty() && read.node.size() <= 64, "it names a node");
  require(!read.session.empty() && read.session.size() <= 64, "and a session");
  require(!read.message.empty(), "and says something");
  require(read.node.size() + read.session.size() + read.message.size() <= body.size(),
          "no more than was sent");
  static emulated_sessions all;
  static only_session session;
  static const auto secret = all.add(session);
  const auto before = session.heard;
  int answers = 0;
  all.take(read.session, std::string{read.message}, [&](emulation_outcome outcome) {
    ++answers;
    require((outcome == emulation_outcome::taken) == (read.session == secret), "of its own");
  });
  require(answers == 1, "each is answered once");
  require(session.heard - before == (read.session == secret ? 1U : 0U), "and heard by nobody else");
}

/// Where each name stands in the body once at most.
bool is_plain(std::string_view body) {
  for (const auto* name : {"\"node\"", "\"session\"", "\"data\""})
    if (body.find(name) != body.rfind(name))
      return false;
  return body.find('\\') == std::string_view::npos;
}

/// What is taken for JSON is, and says the same there.
void look_at_json(const emulation_request& read, std::string_view body) {
  if (!is_plain(body))
    return;
  simdjson::dom::parser parser;
  const simdjson::padded_string padded{body};
  simdjson::dom::element all;
  if (parser.parse(padded).get(all) != simdjson::SUCCESS)
    return; // numbers that it cannot hold
  const auto is_same = [&](std::string_view name, const std::string& said) {
    std::string_view found;
    return all[name].get(found) != simdjson::SUCCESS || found == said;
  };
  require(is_same("node", read.node) && is_same("session", read.session)
            && is_same("data", read.message),
          "another parser finds the same");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  if (const auto read = read_json_emulation(body)) {
    look_at(*read, body);
    look_at_json(*read, body);
    require(simdjson::validate_utf8(read->message.data(), read->message.size()), "text is UTF-8");
  }
  if (const auto read = read_protobuf_emulation(body))
    look_at(*read, body);
  return 0;
}
