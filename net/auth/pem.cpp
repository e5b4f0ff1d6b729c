#include "net/auth/pem.hpp"

#include "net/auth/token_limits.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstddef>
#include <memory>

namespace canang::net {

namespace {

using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free)>;

bio_ptr reader_of(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// Without it OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) { return -1; }

std::size_t count_blocks(std::string_view text) {
  constexpr std::string_view head = "-----BEGIN ";
  std::size_t blocks = 0;
  for (auto at = text.find(head); at != std::string_view::npos; at = text.find(head, at + 1))
    ++blocks;
  return blocks;
}

} // namespace

std::vector<shared_pkey> public_keys_of_pem(std::string_view text) {
  const auto blocks = count_blocks(text);
  const bool has_private = text.find(" PRIVATE KEY-----") != std::string_view::npos;
  if (text.size() > max_key_set_bytes || blocks > max_token_keys || has_private)
    return {}; // of some private keys OpenSSL would take the public half
  std::vector<shared_pkey> keys;
  const auto reader = reader_of(text);
  while (keys.size() < blocks) {
    shared_pkey key{PEM_read_bio_PUBKEY(reader.get(), nullptr, &no_password, nullptr),
                    &EVP_PKEY_free};
    if (key == nullptr)
      break;
    keys.push_back(std::move(key));
  }
  ERR_clear_error();
  return keys.size() == blocks ? keys : std::vector<shared_pkey>{};
}

shared_pkey private_key_of_pem(std::string_view text) {
  if (text.size() > max_key_set_bytes)
    return nullptr;
  const auto reader = reader_of(text);
  shared_pkey key{PEM_read_bio_PrivateKey(reader.get(), nullptr, &no_password, nullptr),
                  &EVP_PKEY_free};
  ERR_clear_error();
  return key;
}

} // namespace canang::net
