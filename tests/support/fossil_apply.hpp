#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang::test {

/// Reads deltas of the Fossil format the strict way
/// (https://fossil-scm.org/home/doc/tip/www/delta_format.wiki).
class fossil_reader {
public:
  fossil_reader(std::string_view source, std::string_view delta) : source_(source), rest_(delta) {}

  /// @returns the target, or nothing where the delta is not one of this source.
  std::optional<std::string> target() {
    const auto size = number();
    if (!size || !take('\n'))
      return std::nullopt;
    while (const auto count = number()) {
      if (take(';'))
        return rest_.empty() && out_.size() == *size && *count == checksum() ? std::optional{out_}
                                                                             : std::nullopt;
      if (!(take('@') ? copy(*count) : take(':') && insert(*count)))
        return std::nullopt;
    }
    return std::nullopt;
  }

private:
  bool take(char what) {
    if (!rest_.starts_with(what))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::uint64_t> number() {
    constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    std::uint64_t value = 0;
    std::size_t read = 0;
    for (; read < rest_.size() && digits.find(rest_[read]) != std::string_view::npos; ++read)
      value = value * 64 + digits.find(rest_[read]);
    if (read == 0 || read > 6 || (read > 1 && rest_.front() == '0'))
      return std::nullopt;
    rest_.remove_prefix(read);
    return value;
  }

  bool copy(std::uint64_t count) {
    const auto from = number();
    if (!from || !take(',') || *from > source_.size() || count > source_.size() - *from)
      return false;
    out_ += source_.substr(*from, count);
    return true;
  }

  bool insert(std::uint64_t count) {
    if (count > rest_.size())
      return false;
    out_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }

  [[nodiscard]] std::uint32_t checksum() const {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < out_.size(); ++i)
      sum += static_cast<std::uint32_t>(static_cast<unsigned char>(out_[i])) << (24 - 8 * (i % 4));
    return sum;
  }

  std::string_view source_;
  std::string_view rest_;
  std::string out_;
};

inline std::optional<std::string> apply_fossil_delta(std::string_view source,
                                                     std::string_view delta) {
  return fossil_reader{source, delta}.target();
}

} // namespace canang::test
