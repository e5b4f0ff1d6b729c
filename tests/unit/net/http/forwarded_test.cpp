#include "net/http/forwarded.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::net {
namespace {

using finding = forwarded_client::finding;

/// `finding address port` of a request with these lines, asked for by a proxy behind 10.0.0.0/8 ones.
std::string client_of(forwarded_field field, const std::vector<std::string>& lines) {
  proxy_rules rules{.field = field};
  EXPECT_TRUE(rules.trusted.add("10.0.0.0/8"));
  EXPECT_TRUE(rules.trusted.add("fd00::/8"));
  http_request_header request;
  for (const auto& line : lines)
    request.insert(field == forwarded_field::forwarded ? "Forwarded" : "X-Forwarded-For", line);
  const auto got = read_forwarded(request, rules);
  if (got.what != finding::found)
    return got.what == finding::bad ? "bad" : "unknown";
  return got.address.address().to_string()
         + (got.address.port() == 0 ? "" : ' ' + std::to_string(got.address.port()));
}

std::string of_list(const std::vector<std::string>& lines) {
  return client_of(forwarded_field::x_forwarded_for, lines);
}

std::string of_forwarded(const std::vector<std::string>& lines) {
  return client_of(forwarded_field::forwarded, lines);
}

TEST(x_forwarded_for, names_the_rightmost_address_that_is_not_trusted) {
  EXPECT_EQ(of_list({"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(of_list({"198.51.100.1, 203.0.113.9"}), "203.0.113.9") << "the first is made up";
  EXPECT_EQ(of_list({"198.51.100.1,203.0.113.9 ,10.0.0.7,\t10.0.0.8"}), "203.0.113.9");
  EXPECT_EQ(of_list({"203.0.113.9", "10.0.0.7"}), "203.0.113.9") << "several lines are one list";
  EXPECT_EQ(of_list({"10.0.0.7, 10.0.0.8"}), "10.0.0.7") << "all are trusted";
  EXPECT_EQ(of_list({"2001:db8::1, fd00::2"}), "2001:db8::1");
}

TEST(x_forwarded_for, may_have_ports_and_brackets) {
  EXPECT_EQ(of_list({"203.0.113.9:4711"}), "203.0.113.9 4711");
  EXPECT_EQ(of_list({"[2001:db8::1]:4711"}), "2001:db8::1 4711");
  EXPECT_EQ(of_list({"[2001:db8::1]"}), "2001:db8::1");
}

TEST(x_forwarded_for, is_read_no_further_than_to_what_is_no_address) {
  EXPECT_EQ(of_list({}), "unknown");
  EXPECT_EQ(of_list({""}), "unknown");
  EXPECT_EQ(of_list({" , ,"}), "unknown");
  EXPECT_EQ(of_list({"203.0.113.9, unknown"}), "unknown");
  EXPECT_EQ(of_list({"203.0.113.9, evil.example"}), "unknown");
  EXPECT_EQ(of_list({"203.0.113.9, fe80::1%eth0"}), "unknown");
  EXPECT_EQ(of_list({"garbage \" , 203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(of_list({"203.0.113.9, ,10.0.0.8,"}), "203.0.113.9") << "empty items are none";
}

TEST(x_forwarded_for, is_looked_through_for_a_bounded_number_of_proxies) {
  std::string list = "203.0.113.9";
  for (std::size_t i = 0; i + 1 < max_forwarded_hops; ++i)
    list += ", 10.0.0.7";
  EXPECT_EQ(of_list({list}), "203.0.113.9");
  EXPECT_EQ(of_list({list + ", 10.0.0.8"}), "10.0.0.7") << "one too many";
}

TEST(forwarded, names_the_rightmost_address_that_is_not_trusted) {
  EXPECT_EQ(of_forwarded({"for=203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(of_forwarded({"For=198.51.100.1;proto=https, for=203.0.113.9;by=10.0.0.7"}),
            "203.0.113.9");
  EXPECT_EQ(of_forwarded({R"(proto=https; for="[2001:db8::1]:4711" , for=10.0.0.8)"}),
            "2001:db8::1 4711");
  EXPECT_EQ(of_forwarded({"for=203.0.113.9", "proto=http;for=10.0.0.8"}), "203.0.113.9");
  EXPECT_EQ(of_forwarded({R"(for="203.0.113.9:_port")"}), "203.0.113.9");
  EXPECT_EQ(of_forwarded({"for=198.51.100.1, for=unknown"}), "unknown");
  EXPECT_EQ(of_forwarded({"for=198.51.100.1, for=_hidden"}), "unknown");
  EXPECT_EQ(of_forwarded({"proto=https"}), "unknown");
  EXPECT_EQ(of_forwarded({"for=198.51.100.1, proto=https"}), "unknown") << "the last one alone";
  EXPECT_EQ(of_forwarded({"for=198.51.100.1, for="}), "unknown");
  EXPECT_EQ(of_forwarded({"proto=https;for=203.0.113.9,, ,"}), "203.0.113.9");
}

/// Else a client that leaves a quote open would hide what its proxy says behind it.
TEST(forwarded, is_bad_where_its_items_cannot_be_told_apart) {
  for (const std::string line :
       {R"(for="198.51.100.1, for=203.0.113.9)", R"(for="a\)", "for", "for=a b", "=x",
        R"(for="a"b, for=203.0.113.9)", R"(for=a"b")", "f r=a", R"("for"=a)"})
    EXPECT_EQ(of_forwarded({line}), "bad") << line;
  EXPECT_EQ(of_forwarded({R"(for="198.51.100.1, for=1", for=203.0.113.9)"}), "203.0.113.9");
  EXPECT_EQ(of_forwarded({R"(for="\"", for="2\03.0.113.9")"}), "203.0.113.9");
}

TEST(forwarded, is_looked_through_for_a_bounded_number_of_proxies) {
  std::string list = "for=203.0.113.9";
  for (std::size_t i = 0; i < 5 * max_forwarded_hops; ++i)
    list += ", for=10.0.0.7";
  EXPECT_EQ(of_forwarded({list}), "10.0.0.7");
}

TEST(forwarded, is_one_of_two_fields_of_which_one_alone_is_believed) {
  http_request_header request;
  request.set("Forwarded", "for=203.0.113.9");
  request.set("X-Forwarded-For", "198.51.100.1");
  const proxy_rules list{};
  EXPECT_EQ(read_forwarded(request, list).address.address().to_string(), "198.51.100.1");
  const proxy_rules rfc{.field = forwarded_field::forwarded};
  EXPECT_EQ(read_forwarded(request, rfc).address.address().to_string(), "203.0.113.9");
  const proxy_rules none{.field = forwarded_field::off};
  EXPECT_EQ(read_forwarded(request, none).what, finding::unknown);
}

} // namespace
} // namespace canang::net
