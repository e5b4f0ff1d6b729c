// A proxy's header in whatever pieces, and what the fields of a request say of its client.

#include "net/http/forwarded.hpp"
#include "net/limits.hpp"
#include "net/socket/proxy_protocol.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

namespace {

using namespace canang::net;
using canang::fuzz::require;
using state = proxy_header_reader::state;

struct outcome {
  state at;
  std::size_t used;
  std::optional<boost::asio::ip::tcp::endpoint> client;

  bool operator==(const outcome&) const = default;
};

outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
  proxy_header_reader reader;
  std::size_t used = 0;
  while (used < bytes.size() && reader.at() == state::more) {
    const auto next = bytes.substr(used, piece);
    const auto taken = reader.take(next);
    require(taken <= next.size(), "no more than there is");
    require(taken == next.size() || reader.at() != state::more, "all, unless it ends");
    used += taken;
  }
  if (reader.at() == state::none)
    require(reader.taken() == bytes.substr(0, used), "what is none is given back");
  return {reader.at(), used, reader.client()};
}

void check_fields(std::string_view text) {
  static const auto rules = [](forwarded_field field) {
    proxy_rules made{.field = field};
    require(made.trusted.add("10.0.0.0/8"), "a range");
    return made;
  };
  static const auto list = rules(forwarded_field::x_forwarded_for);
  static const auto elements = rules(forwarded_field::forwarded);
  http_request_header request;
  request.set("X-Forwarded-For", boost::beast::string_view{text.data(), text.size()});
  request.set("Forwarded", boost::beast::string_view{text.data(), text.size()});
  require(read_forwarded(request, list).what != forwarded_client::finding::bad, "a list is one");
  const auto before = read_forwarded(request, elements);
  // whatever stands in front, what a proxy writes behind it is found, or the request is refused
  request.set("X-Forwarded-For", std::string{text} + ", 203.0.113.9");
  request.set("Forwarded", std::string{text} + ", for=203.0.113.9");
  const auto expected = boost::asio::ip::make_address("203.0.113.9");
  require(read_forwarded(request, list).address.address() == expected, "the last one counts");
  const auto behind = read_forwarded(request, elements);
  require(behind.what == forwarded_client::finding::bad || behind.address.address() == expected,
          "the last one counts, or none");
  require(before.what == forwarded_client::finding::bad
            || behind.what != forwarded_client::finding::bad,
          "what is right stays right");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto piece = in.byte() % 64U + 1U;
  const auto bytes = canang::fuzz::text_of(in.all(max_proxy_header_bytes + 64));
  const auto whole = read_in_pieces(bytes, bytes.size() + 1);
  require(read_in_pieces(bytes, piece) == whole, "pieces do not matter");
  require(whole.used <= max_proxy_header_bytes, "it is bounded");
  require(!whole.client || whole.at == state::whole, "a client is of a whole header");
  check_fields(bytes.substr(0, 1024));
  return 0;
}
