#include "net/listener.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace canang::net {
namespace {

struct unix_listener_test : testing::Test {
  std::string directory = testing::TempDir() + "canang-unix-XXXXXX";
  std::string path;

  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    path = directory + "/socket";
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  listening_sockets listen(std::size_t count, boost::system::error_code& ec) const {
    return listen_on(unix_address{.path = path, .mode = 0600}, count, ec);
  }

  static void close_all(const listening_sockets& sockets) {
    for (const int fd : sockets.descriptors)
      ::close(fd);
  }

  [[nodiscard]] int connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return fd;
    ::close(fd);
    return -1;
  }
};

TEST_F(unix_listener_test, gives_each_loop_a_descriptor_of_one_socket_with_its_mode) {
  boost::system::error_code ec;
  const auto sockets = listen(3, ec);
  ASSERT_FALSE(ec) << ec.message();
  EXPECT_EQ(sockets.descriptors.size(), 3U);
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  const int client = connect();
  EXPECT_GE(client, 0);
  ::close(client);
  close_all(sockets);
}

TEST_F(unix_listener_test, removes_a_file_only_if_nobody_listens) {
  boost::system::error_code ec;
  const auto first = listen(2, ec);
  ASSERT_FALSE(ec);
  EXPECT_TRUE(listen(1, ec).descriptors.empty());
  EXPECT_EQ(ec, boost::system::errc::address_in_use);
  const int client = connect();
  EXPECT_GE(client, 0) << "it was left alone";
  ::close(client);
  close_all(first);
  EXPECT_TRUE(std::filesystem::exists(path)) << "as after a kill";
  const auto second = listen(1, ec);
  EXPECT_FALSE(ec) << ec.message();
  close_all(second);
}

TEST_F(unix_listener_test, removes_the_file_at_the_end_only_if_it_is_still_its_own) {
  boost::system::error_code ec;
  const auto first = listen(1, ec);
  ASSERT_FALSE(ec);
  close_all(first);
  std::filesystem::rename(path, path + ".old"); // else its inode might be used again
  const auto second = listen(1, ec);
  ASSERT_FALSE(ec);
  remove_socket_file(path, first);
  EXPECT_TRUE(std::filesystem::exists(path));
  auto elsewhere = second;
  ++elsewhere.device; // where files have numbers of their own
  remove_socket_file(path, elsewhere);
  EXPECT_TRUE(std::filesystem::exists(path));
  remove_socket_file(path, second);
  EXPECT_FALSE(std::filesystem::exists(path));
  close_all(second);
}

TEST_F(unix_listener_test, leaves_files_alone_that_are_no_sockets) {
  std::ofstream{path} << "precious";
  boost::system::error_code ec;
  EXPECT_TRUE(listen(1, ec).descriptors.empty());
  EXPECT_EQ(ec, boost::system::errc::file_exists);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST_F(unix_listener_test, refuses_a_path_that_is_too_long_or_nowhere) {
  boost::system::error_code ec;
  path = directory + "/" + std::string(200, 'x');
  EXPECT_TRUE(listen(1, ec).descriptors.empty());
  EXPECT_EQ(ec, boost::system::errc::filename_too_long);
  path = directory + "/none/socket";
  EXPECT_TRUE(listen(1, ec).descriptors.empty());
  EXPECT_EQ(ec, boost::system::errc::no_such_file_or_directory);
}

/// A client whose own name is longer than an address of IP: it must not be taken for one.
TEST_F(unix_listener_test, serves_clients_with_and_without_names) {
  test::turning_loop loop;
  boost::system::error_code ec;
  const auto sockets = listen(1, ec);
  ASSERT_FALSE(ec);
  address_counts addresses{1};
  proxy_rules proxies;
  const arrival_rules rules{.addresses = &addresses, .proxies = &proxies};
  router paths;
  paths.add_page("/", {}, [](const http_request&) { return text_response(200, "hello"); });
  listener door{loop.context, paths, sockets.descriptors[0], false, &rules};
  door.start();
  for (int i = 0; i < 3; ++i) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    (directory + "/" + std::string(60, static_cast<char>('a' + i))).copy(own.sun_path, 107);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (i > 0) {
      ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, 107);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(client_text(*peer_of(fd)), "unix");
    tcp_socket socket{loop.io.get_executor()};
    socket.assign(boost::asio::ip::tcp::v4(), fd);
    test::raw_client client{std::move(socket)};
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(loop.until([&] { return client.has("hello\n"); }));
  }
  EXPECT_EQ(addresses.size(), 0U);
}

} // namespace
} // namespace canang::net
