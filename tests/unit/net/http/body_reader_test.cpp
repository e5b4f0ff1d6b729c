#include "net/http/body_reader.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::net {
namespace {

using state = body_reader::state;

constexpr body_framing chunked{.is_chunked = true};

/// What becomes of bytes that come all at once.
struct outcome {
  state at;
  std::string body;
  std::size_t taken;

  bool operator==(const outcome&) const = default;
};

outcome read(const body_framing& framing, std::string_view bytes, std::size_t limit = 100) {
  body_reader reader{framing, limit};
  const auto taken = reader.take(bytes);
  return {reader.at(), std::string{reader.body()}, taken};
}

void PrintTo(const outcome& of, std::ostream* out) {
  *out << static_cast<int>(of.at) << " '" << of.body << "' " << of.taken;
}

TEST(body_reader, takes_as_many_bytes_as_were_announced) {
  EXPECT_EQ(read({.length = 5}, "hello"), (outcome{state::whole, "hello", 5}));
  EXPECT_EQ(read({.length = 5}, "helloGET /"), (outcome{state::whole, "hello", 5}));
  EXPECT_EQ(read({.length = 5}, "hell"), (outcome{state::more, "hell", 4}));
  EXPECT_EQ(read({.length = 0}, "GET /"), (outcome{state::whole, "", 0}));
}

TEST(body_reader, refuses_a_length_over_its_limit_before_anything_has_come) {
  EXPECT_EQ(read({.length = 100}, "").at, state::more);
  EXPECT_EQ(read({.length = 101}, "x"), (outcome{state::too_large, "", 0}));
  EXPECT_EQ(read({.length = UINT64_MAX}, "x").at, state::too_large);
}

TEST(body_reader, takes_chunks_with_extensions_and_trailers) {
  EXPECT_EQ(read(chunked, "0\r\n\r\n"), (outcome{state::whole, "", 5}));
  EXPECT_EQ(read(chunked, "5\r\nhello\r\n0\r\n\r\nGET"), (outcome{state::whole, "hello", 15}));
  EXPECT_EQ(read(chunked, "2\r\nhe\r\n3\r\nllo\r\n000\r\n\r\n").body, "hello");
  EXPECT_EQ(read(chunked, "a\r\n0123456789\r\n0\r\n\r\n").body, "0123456789");
  EXPECT_EQ(read(chunked, "A\r\n0123456789\r\n0\r\n\r\n").body, "0123456789");
  EXPECT_EQ(read(chunked, "2;name=\"a;b\"\r\n\r\n\r\n0;last\r\n\r\n"),
            (outcome{state::whole, "\r\n", 28}));
  EXPECT_EQ(read(chunked, "1\r\nx\r\n0\r\nContent-Length: 5\r\nX-Sum: 1\r\n\r\n").at, state::whole);
}

TEST(body_reader, comes_to_the_same_in_whatever_pieces) {
  const std::vector<std::string> all{
    "5\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nSum: 1\r\nMore: 2\r\n\r\n",
    "5\r\nhelloX",
    "65\r\n",
    "5\nhello",
  };
  for (const auto& bytes : all) {
    const auto at_once = read(chunked, bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      body_reader reader{chunked, 100};
      auto taken = reader.take(std::string_view{bytes}.substr(0, cut));
      taken += reader.take(std::string_view{bytes}.substr(std::min(cut, taken)));
      EXPECT_EQ((outcome{reader.at(), std::string{reader.body()}, taken}), at_once)
        << bytes << " at " << cut;
    }
    body_reader reader{chunked, 100};
    for (const char c : bytes)
      reader.take({&c, 1});
    EXPECT_EQ(reader.at(), at_once.at) << bytes;
    EXPECT_EQ(reader.body(), at_once.body) << bytes;
  }
}

TEST(body_reader, refuses_what_another_reader_could_end_elsewhere) {
  for (const std::string bytes : {
         "5\nhello\r\n0\r\n\r\n",         // a line feed alone
         "5\r\nhello\n0\r\n\r\n",         //
         "5\r\nhello\r\n0\r\n\n",         //
         "5\r\nhello\r\n0\r\nA: b\n\r\n", //
         "5\rhello\r\n0\r\n\r\n",         // a carriage return alone
         "5;a\rb\r\nhello\r\n",           //
         "5;a\nb\r\nhello\r\n",           //
         "5\r\nhelloo\r\n0\r\n\r\n",      // longer than it says
         "6\r\nhello\r\n0\r\n\r\n",       // shorter
         "\r\nhello\r\n",                 // no size
         ";a\r\n",                        //
         "-5\r\nhello\r\n",               //
         "+5\r\nhello\r\n",               //
         "0x5\r\nhello\r\n",              //
         " 5\r\nhello\r\n",               //
         "5 \r\nhello\r\n",               //
         "5 5\r\nhello\r\n",              //
         "5,5\r\nhello\r\n",              //
         "g\r\n",                         //
         "00000000000000005\r\nhello",    // more digits than a size has
         "10000000000000005\r\nhello",    // 2^64 + 5
       }) {
    const auto seen = read(chunked, bytes);
    EXPECT_EQ(seen.at, state::bad) << bytes;
    EXPECT_LE(seen.taken, bytes.size());
  }
}

TEST(body_reader, refuses_a_chunk_over_the_limit_when_it_is_announced) {
  EXPECT_EQ(read(chunked, "3\r\nabc\r\n2\r\n", 5).at, state::more);
  EXPECT_EQ(read(chunked, "3\r\nabc\r\n3\r\n", 5), (outcome{state::too_large, "abc", 11}));
  EXPECT_EQ(read(chunked, "ffffffffffffffff\r\n", 5).at, state::too_large);
}

TEST(body_reader, skips_extensions_and_trailers_up_to_their_limit) {
  const std::string much(max_chunk_line_bytes, 'x');
  EXPECT_EQ(read(chunked, "1;" + much + "\r\n").at, state::bad);
  EXPECT_EQ(read(chunked, "1;" + much.substr(0, max_chunk_line_bytes - 4) + "\r\n").at,
            state::more);
  EXPECT_EQ(read(chunked, "0\r\nA: " + much + "\r\n\r\n").at, state::bad);
  std::string many = "0\r\n";
  for (int i = 0; i < 200; ++i)
    many += "A: 1\r\n";
  EXPECT_EQ(read(chunked, many + "\r\n").at, state::bad) << "all of them together";
}

TEST(body_reader, holds_what_has_come_and_not_what_was_announced) {
  constexpr std::size_t limit = 1 << 20;
  body_reader reader{{.length = limit}, limit};
  reader.take("x");
  EXPECT_LE(reader.memory(), 64U);
  const std::string kilobyte(1024, 'x');
  for (int i = 0; i < 1023; ++i)
    reader.take(kilobyte);
  EXPECT_EQ(reader.at(), state::more);
  EXPECT_LE(reader.memory(), limit);
}

} // namespace
} // namespace canang::net
