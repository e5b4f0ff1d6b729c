#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace canang::test {

/// An authority, and what it has certified, as PEM files of a directory that goes with it.
class test_authority {
public:
  test_authority() : directory_(make_directory()), key_(make_key()) {
    certificate_ = issue(key_.get(), "test authority", "", true);
    write(certificate_.get(), ca_file());
  }

  ~test_authority() { std::filesystem::remove_all(directory_); }

  /// `names`: as OpenSSL's configuration has it, "IP:127.0.0.1" or "DNS:localhost".
  /// @returns the file's path without .pem; its key is in the same file.
  std::string certify(const std::string& name, const std::string& names) {
    const auto key = make_key();
    const auto certificate = issue(key.get(), name, names, false);
    const auto file = directory_ + "/" + name + ".pem";
    write(certificate.get(), file);
    auto* const to = std::fopen(file.c_str(), "a");
    PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(to);
    return file;
  }

  [[nodiscard]] std::string ca_file() const { return directory_ + "/ca.pem"; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

private:
  using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

  static std::string make_directory() {
    auto path = testing::TempDir() + "canang-tls-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    return path;
  }

  static key_ptr make_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

  certificate_ptr issue(EVP_PKEY* key, const std::string& name, const std::string& names,
                        bool is_authority) {
    certificate_ptr made{X509_new(), &X509_free};
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 24 * 3600);
    X509_set_pubkey(made.get(), key);
    auto* const subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    auto* const issuer = certificate_ == nullptr ? made.get() : certificate_.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, made.get(), nullptr, nullptr, 0);
    const auto extend = [&](int what, const char* value) {
      auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, what, value);
      X509_add_ext(made.get(), extension, -1);
      X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!names.empty())
      extend(NID_subject_alt_name, names.c_str());
    EXPECT_GT(X509_sign(made.get(), key_.get(), EVP_sha256()), 0);
    return made;
  }

  static void write(X509* certificate, const std::string& path) {
    auto* const to = std::fopen(path.c_str(), "w");
    PEM_write_X509(to, certificate);
    std::fclose(to);
  }

  std::string directory_;
  long serial_ = 0;
  key_ptr key_;
  certificate_ptr certificate_{nullptr, &X509_free};
};

} // namespace canang::test
