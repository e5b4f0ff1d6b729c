#include "cluster/redis/url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::cluster {
namespace {

redis_target good(std::string_view url) {
  auto parsed = parse_redis_url(url);
  const auto* const error = std::get_if<std::string>(&parsed);
  EXPECT_EQ(error, nullptr) << url << ": " << *error;
  return error == nullptr ? std::get<redis_target>(parsed) : redis_target{};
}

std::string bad(std::string_view url) {
  auto parsed = parse_redis_url(url);
  const auto* const error = std::get_if<std::string>(&parsed);
  EXPECT_NE(error, nullptr) << url << " was taken";
  return error == nullptr ? std::string{} : *error;
}

TEST(redis_url, names_host_port_and_database) {
  const struct {
    const char* url;
    host_port host;
    std::uint32_t database;
    const char* identity;
  } table[] = {
    {"redis://localhost", {"localhost", 6379}, 0, "localhost:6379/0"},
    {"redis://localhost/", {"localhost", 6379}, 0, "localhost:6379/0"},
    {"redis://Redis-0.redis:7000/3", {"Redis-0.redis", 7000}, 3, "redis-0.redis:7000/3"},
    {"redis://10.0.0.1:65535/15", {"10.0.0.1", 65535}, 15, "10.0.0.1:65535/15"},
    {"redis://[::1]", {"::1", 6379}, 0, "[::1]:6379/0"},
    {"redis://[fd00::2]:6380/1", {"fd00::2", 6380}, 1, "[fd00::2]:6380/1"},
    {"rediss://my_redis:6380", {"my_redis", 6380}, 0, "my_redis:6380/0"},
  };
  for (const auto& row : table) {
    const auto target = good(row.url);
    EXPECT_EQ(target.hosts, std::vector{row.host}) << row.url;
    EXPECT_EQ(target.database, row.database) << row.url;
    EXPECT_EQ(target.identity(), row.identity) << row.url;
    EXPECT_EQ(target.uses_tls, std::string_view{row.url}.starts_with("rediss")) << row.url;
    EXPECT_EQ(target.master_name, "") << row.url;
  }
}

TEST(redis_url, names_user_and_password_percent_encoded) {
  const struct {
    const char* url;
    const char* user;
    const char* password;
  } table[] = {
    {"redis://host", "", ""},
    {"redis://@host", "", ""},
    {"redis://ann@host", "ann", ""},
    {"redis://:secret@host", "", "secret"},
    {"redis://ann:secret@host", "ann", "secret"},
    {"redis://ann:a:b@host", "ann", "a:b"},
    {"redis://a%40n:%3A%2f%25%2C@host", "a@n", ":/%,"},
    {"sentinel://:s%20t@a,b/m", "", "s t"},
  };
  for (const auto& row : table) {
    const auto target = good(row.url);
    EXPECT_EQ(target.user, row.user) << row.url;
    EXPECT_EQ(target.password, row.password) << row.url;
    EXPECT_EQ(target.identity().find("secret"), std::string::npos);
  }
}

TEST(redis_url, names_sentinels_and_a_master) {
  const auto target = good("sentinel://:pw@s1,s2:7001,[::1]/main/2");
  EXPECT_EQ(target.hosts, (std::vector<host_port>{{"s1", 26379}, {"s2", 7001}, {"::1", 26379}}));
  EXPECT_EQ(target.master_name, "main");
  EXPECT_EQ(target.database, 2U);
  EXPECT_EQ(target.identity(), "main/2");
  EXPECT_EQ(good("sentinel://s1").master_name, "mymaster");
  EXPECT_EQ(good("sentinel://s1/").identity(), "mymaster/0");
}

TEST(redis_url, is_refused_with_the_host_and_without_the_password) {
  const struct {
    const char* url;
    const char* says;
  } table[] = {
    {"", "must begin"},
    {"localhost:6379", "must begin"},
    {"http://ann:secret@host", "host"},
    {"ann:secret@host", "host"},
    {"redis:/host", "must begin"},
    {"redis://", "host is missing"},
    {"redis://:6379", "host is missing"},
    {"redis://ann:secret@", "host is missing"},
    {"redis://ann:sec/ret@host", "'host'"},
    {"redis://ann:sec@ret@host", "'host'"},
    {"redis://ann:sec ret@host", "'host'"},
    {"redis://ann:secret%@host", "'host'"},
    {"redis://ann:secret%2@host", "'host'"},
    {"redis://ann:secret%zz@host", "'host'"},
    {"redis://ann:sec?ret#@host", "'host'"},
    {"redis://ann:secret@host:0", "1 to 65535"},
    {"redis://ann:secret@host:65536", "1 to 65535"},
    {"redis://ann:secret@host:6379x", "1 to 65535"},
    {"redis://ann:secret@host:", "1 to 65535"},
    {"redis://ann:secret@host:-1", "1 to 65535"},
    {"redis://ann:secret", "'ann'"}, // the host was forgotten
    {"redis://ann:secret@host/x", "database"},
    {"redis://ann:secret@host/-1", "database"},
    {"redis://ann:secret@host/1/2", "database"},
    {"redis://ann:secret@host/4294967296", "database"},
    {"redis://ann:secret@host/0?x=1", "follow the database"},
    {"redis://ann:secret@h o", "character"},
    {"redis://ann:secret@a,b", "character"},
    {"redis://ann:secret@[::1", "']'"},
    {"redis://ann:secret@[host]", "IPv6"},
    {"redis://ann:secret@[::1]x", "1 to 65535"},
    {"sentinel://ann:secret@a,,b/m", "host is missing"},
    {"sentinel://ann:secret@a,b,/m", "host is missing"},
    {"sentinel://ann:secret@a/m m", "name"},
    {"sentinel://ann:secret@a/m/x", "database"},
  };
  for (const auto& row : table) {
    const auto line = bad(row.url);
    EXPECT_NE(line.find(row.says), std::string::npos) << row.url << " -> " << line;
    EXPECT_EQ(line.find("sec"), std::string::npos) << line;
    EXPECT_EQ(line.find("ret"), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(redis_url, list_is_split_where_a_scheme_follows_a_comma) {
  using list = std::vector<std::string>;
  EXPECT_EQ(split_redis_urls("redis://a"), list{"redis://a"});
  EXPECT_EQ(split_redis_urls("redis://a,rediss://b/1, redis://c"),
            (list{"redis://a", "rediss://b/1", "redis://c"}));
  EXPECT_EQ(split_redis_urls("sentinel://a,b:1,c/m,redis://d,sentinel://e,f/n"),
            (list{"sentinel://a,b:1,c/m", "redis://d", "sentinel://e,f/n"}));
  EXPECT_EQ(split_redis_urls("redis://:p,q@a,http://b"), (list{"redis://:p,q@a", "http://b"}));
  EXPECT_EQ(split_redis_urls("redis://a,"), list{"redis://a,"});
  EXPECT_EQ(split_redis_urls(""), list{""}) << "nothing is an error, not a wish for no Redis";
}

} // namespace
} // namespace canang::cluster
