#include "net/tls/tls_source.hpp"

#include "net/tls/tls_layer.hpp"
#include "tests/unit/support/tls_client.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace canang::net {
namespace {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& text) { std::ofstream{path} << text; }

/// Both ends of a handshake over memory: the server's through a pair of sockets would say the same.
bool resumes(tls_source& source, SSL_CTX* context, SSL_SESSION*& session) {
  test::tls_side client{context, false};
  test::tls_side server{source.current().get(), true};
  if (session != nullptr)
    SSL_set_session(client.native(), session);
  const auto pass = [](test::tls_side& from, test::tls_side& to) {
    const std::string records{from.records()};
    from.sent(records.size());
    to.feed(records);
  };
  for (int i = 0; i < 4; ++i) {
    client.step();
    pass(client, server);
    server.step();
    pass(server, client);
  }
  EXPECT_TRUE(client.is_ready() && server.is_ready());
  char byte = 0;
  static_cast<void>(client.read({&byte, 1})); // takes the tickets
  SSL_SESSION_free(session);
  session = SSL_get1_session(client.native());
  SSL_set_shutdown(client.native(), SSL_SENT_SHUTDOWN); // one that is cut is not resumed
  return SSL_session_reused(server.native()) == 1;
}

TEST(tls_source, says_in_a_line_which_file_is_wrong_and_keeps_what_it_had) {
  test::test_authority authority;
  const auto one = authority.certify("one", "DNS:localhost");
  const auto other = authority.certify("other", "DNS:localhost");
  const auto file = authority.directory() + "/cert.pem";
  const auto key = authority.directory() + "/key.pem";
  tls_source source{{.certificate = file, .key = key}};
  EXPECT_NE(source.load().find(file), std::string::npos);
  EXPECT_EQ(source.current(), nullptr);
  fs::copy_file(one, file);
  EXPECT_NE(source.load().find(key), std::string::npos);
  fs::copy_file(one, key);
  EXPECT_EQ(source.load(), "");
  const auto good = source.current();
  EXPECT_NE(good, nullptr);
  const auto in_a_day = std::time(nullptr) + 24 * 3600;
  EXPECT_NEAR(static_cast<double>(source.expires_at()), static_cast<double>(in_a_day), 60);
  fs::copy_file(other, key, fs::copy_options::overwrite_existing);
  const auto fault = source.load();
  EXPECT_NE(fault.find(key), std::string::npos) << fault;
  EXPECT_EQ(fault.find('\n'), std::string::npos);
  for (const std::string text : {"", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
    write(file, text);
    EXPECT_NE(source.load().find(file), std::string::npos) << text;
  }
  EXPECT_EQ(source.current(), good);
  fs::copy_file(other, file, fs::copy_options::overwrite_existing);
  EXPECT_EQ(source.load(), "");
  EXPECT_NE(source.current(), good);
}

TEST(tls_source, is_stale_once_other_files_have_stayed_for_a_while) {
  test::test_authority authority;
  const auto file = authority.certify("one", "DNS:localhost");
  tls_source source{{.certificate = file}};
  EXPECT_EQ(source.load(), "");
  EXPECT_FALSE(source.is_stale());
  EXPECT_FALSE(source.is_stale());
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds{1});
  EXPECT_FALSE(source.is_stale()) << "maybe the other one is on its way";
  EXPECT_TRUE(source.is_stale());
  EXPECT_EQ(source.load(), "");
  EXPECT_FALSE(source.is_stale());
  fs::remove(file);
  EXPECT_FALSE(source.is_stale());
  EXPECT_TRUE(source.is_stale());
  EXPECT_NE(source.load(), "");
  EXPECT_FALSE(source.is_stale()) << "a bad one is told once";
}

/// Else there would be a line in the log each second, for as long as the file is bad.
TEST(tls_source, tells_once_that_it_cannot_renew_old_keys_with_files_that_are_bad) {
  test::test_authority authority;
  const auto file = authority.certify("one", "DNS:localhost");
  tls_source source{{.certificate = file}, std::chrono::seconds{0}};
  EXPECT_EQ(source.load(), "");
  static_cast<void>(source.is_stale()); // it has seen the files
  EXPECT_TRUE(source.is_stale()) << "the keys are old at once";
  fs::rename(file, file + ".away");
  EXPECT_NE(source.load(), "");
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(source.is_stale()) << "a bad one is told once";
  fs::rename(file + ".away", file);
  EXPECT_FALSE(source.is_stale());
  EXPECT_TRUE(source.is_stale());
  EXPECT_EQ(source.load(), "");
  EXPECT_TRUE(source.is_stale()) << "the keys are old again";
}

TEST(tls_source, has_clients_resume_across_a_new_certificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    test::tls_server_side server;
    const auto context = test::client_context(version);
    SSL_SESSION* session = nullptr;
    EXPECT_FALSE(resumes(server.source, context.get(), session));
    EXPECT_TRUE(resumes(server.source, context.get(), session));
    EXPECT_EQ(server.source.load(), "");
    EXPECT_TRUE(resumes(server.source, context.get(), session));
    tls_source other{{.certificate = server.file}};
    EXPECT_EQ(other.load(), "");
    EXPECT_FALSE(resumes(other, context.get(), session)) << "its tickets are others";
    SSL_SESSION_free(session);
  }
}

TEST(tls_source, has_clients_with_certificates_show_them_every_time) {
  test::test_authority authority;
  const auto file = authority.certify("server", "DNS:localhost");
  const auto own = authority.certify("client", "");
  tls_source source{{.certificate = file, .client_ca = authority.ca_file()}};
  EXPECT_EQ(source.load(), "");
  const auto context = test::client_context();
  SSL_CTX_use_certificate_chain_file(context.get(), own.c_str());
  SSL_CTX_use_PrivateKey_file(context.get(), own.c_str(), SSL_FILETYPE_PEM);
  SSL_SESSION* session = nullptr;
  EXPECT_FALSE(resumes(source, context.get(), session));
  EXPECT_FALSE(resumes(source, context.get(), session));
  SSL_SESSION_free(session);
  tls_source broken{{.certificate = file, .client_ca = authority.directory() + "/none.pem"}};
  EXPECT_NE(broken.load().find("none.pem"), std::string::npos);
}

} // namespace
} // namespace canang::net
