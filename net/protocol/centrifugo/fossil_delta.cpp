#include "net/protocol/centrifugo/fossil_delta.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <vector>

namespace canang::net::centrifugo {

namespace {

/// Blocks of the source that are looked for in the target. A copy takes up to twelve bytes, so shorter ones do
/// not pay.
constexpr std::size_t block_bytes = 16;

/// Equal or colliding blocks that are tried at one place: with the length of the match that they make, which is
/// then done with, they bound the time.
constexpr unsigned max_tries = 8;

/// Bytes that a cut may be moved by: a character has three more than its first.
constexpr unsigned max_moved_bytes = 3;

/// Table entries that a thread keeps.
constexpr std::size_t max_kept_entries = 32 * 1024;

constexpr std::uint32_t none = UINT32_MAX;

std::uint64_t word_at(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t hash_of(const char* block) noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
  return (word_at(block) * odd ^ std::rotl(word_at(block + 8), 29)) * odd;
}

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
  const auto most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same + 8 <= most && word_at(a.data() + same) == word_at(b.data() + same))
    same += 8;
  while (same < most && a[same] == b[same])
    ++same;
  return same;
}

std::size_t common_suffix(std::string_view a, std::string_view b) noexcept {
  const auto most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same < most && a[a.size() - 1 - same] == b[b.size() - 1 - same])
    ++same;
  return same;
}

/// Where each whole block of a source is, by its hash.
class block_index {
public:
  explicit block_index(std::string_view source) : source_(source) {
    const auto blocks = source.size() / block_bytes;
    const auto size = std::bit_ceil(std::max<std::size_t>(2 * blocks, 16));
    shift_ = static_cast<unsigned>(64 - std::countr_zero(size));
    first_.assign(size, none);
    next_.resize(blocks);
    for (auto block = blocks; block-- > 0;) { // so that those in front come first
      auto& chain = first_[hash_of(source.data() + block * block_bytes) >> shift_];
      next_[block] = chain;
      chain = static_cast<std::uint32_t>(block);
    }
  }
  block_index(const block_index&) = delete;
  block_index& operator=(const block_index&) = delete;

  ~block_index() {
    for (auto* const table : {&first_, &next_})
      if (table->capacity() > max_kept_entries)
        std::vector<std::uint32_t>{}.swap(*table);
  }

  /// Calls `visit` with the places of blocks that may be this one, up to `max_tries`.
  template <class Visit>
  void find(const char* block, Visit visit) const {
    auto at = first_[hash_of(block) >> shift_];
    for (unsigned tries = 0; at != none && tries < max_tries; ++tries, at = next_[at])
      visit(at * block_bytes);
  }

private:
  std::string_view source_;
  unsigned shift_ = 0;
  static thread_local std::vector<std::uint32_t> first_; // block by hash
  static thread_local std::vector<std::uint32_t> next_;  // block of the same hash
};

thread_local std::vector<std::uint32_t> block_index::first_;
thread_local std::vector<std::uint32_t> block_index::next_;

/// A part of the target that is in the source as well.
struct match {
  std::size_t source = 0;
  std::size_t target = 0;
  std::size_t size = 0;
};

class encoder {
public:
  encoder(std::string& out, std::string_view source, std::string_view target, delta_cuts cuts)
    : out_(out), began_(out.size()), source_(source), target_(target), cuts_(cuts) {}

  /// @returns false when it became as long as the target, or that can't be cut.
  bool encode() {
    append_number(target_.size());
    out_ += '\n';
    const block_index index{source_};
    std::size_t at = 0;
    while (at + block_bytes <= target_.size() && source_.size() >= block_bytes) {
      const auto found = best_at(at, index);
      if (!can_cut_)
        return false;
      if (found.size < block_bytes) {
        ++at;
        continue;
      }
      append_new(found.target);
      append_copy(found);
      at = done_;
      if (is_too_long())
        return false;
    }
    append_new(target_.size());
    append_number(checksum());
    out_ += ';';
    return !is_too_long();
  }

private:
  [[nodiscard]] bool is_too_long() const noexcept { return out_.size() - began_ >= target_.size(); }

  /// The longest match that has the block at this place of the target.
  [[nodiscard]] match best_at(std::size_t at, const block_index& index) {
    match best;
    const auto* const block = target_.data() + at;
    const auto try_at = [&](std::size_t place) {
      if (std::memcmp(source_.data() + place, block, block_bytes) != 0)
        return;
      const auto found = fitted(extended(place, at));
      if (found.size > best.size)
        best = found;
    };
    const auto straight = static_cast<std::ptrdiff_t>(at) - shift_; // as if it went on
    if (straight >= 0 && static_cast<std::size_t>(straight) + block_bytes <= source_.size())
      try_at(static_cast<std::size_t>(straight));
    if (best.size == 0)
      index.find(block, try_at);
    return best;
  }

  [[nodiscard]] match extended(std::size_t in_source, std::size_t in_target) const {
    const auto before =
      common_suffix(source_.substr(0, in_source), target_.substr(done_, in_target - done_));
    const auto behind = common_prefix(source_.substr(in_source), target_.substr(in_target));
    return {in_source - before, in_target - before, before + behind};
  }

  /// What is left of a match when its ends are where the target may be cut.
  [[nodiscard]] match fitted(match found) {
    if (cuts_ == delta_cuts::anywhere)
      return found;
    unsigned moved = 0;
    for (; moved <= max_moved_bytes && is_inside_character(found.target); ++moved)
      found = {found.source + 1, found.target + 1, found.size - 1};
    can_cut_ &= moved <= max_moved_bytes;
    moved = 0;
    for (; moved <= max_moved_bytes && is_inside_character(found.target + found.size); ++moved)
      --found.size;
    can_cut_ &= moved <= max_moved_bytes;
    return found;
  }

  /// Whether the target cannot be cut there.
  [[nodiscard]] bool is_inside_character(std::size_t at) const noexcept {
    return at < target_.size() && (static_cast<unsigned char>(target_[at]) & 0xC0U) == 0x80U;
  }

  /// What is in the target up to there, and not in the source.
  void append_new(std::size_t end) {
    if (end == done_)
      return;
    append_number(end - done_);
    out_ += ':';
    out_ += target_.substr(done_, end - done_);
    done_ = end;
  }

  void append_copy(const match& found) {
    append_number(found.size);
    out_ += '@';
    append_number(found.source);
    out_ += ',';
    done_ = found.target + found.size;
    shift_ = static_cast<std::ptrdiff_t>(found.target) - static_cast<std::ptrdiff_t>(found.source);
  }

  void append_number(std::size_t number) {
    static constexpr std::string_view digits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    char text[11];
    auto* begin = std::end(text);
    do {
      *--begin = digits[number & 63U];
      number >>= 6U;
    } while (number > 0);
    out_.append(begin, std::end(text));
  }

  /// The sum of the target's words of four bytes, as numbers with the first byte on top.
  [[nodiscard]] std::uint32_t checksum() const noexcept {
    std::uint32_t sum = 0;
    const auto byte = [this](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(target_[at]));
    };
    std::size_t at = 0;
    for (; at + 4 <= target_.size(); at += 4)
      sum += byte(at) << 24U | byte(at + 1) << 16U | byte(at + 2) << 8U | byte(at + 3);
    for (unsigned shift = 24; at < target_.size(); ++at, shift -= 8)
      sum += byte(at) << shift;
    return sum;
  }

  std::string& out_;
  std::size_t began_; // of the delta in `out_`
  std::string_view source_;
  std::string_view target_;
  delta_cuts cuts_;
  std::size_t done_ = 0;     // of the target
  std::ptrdiff_t shift_ = 0; // of the last copy: its place in the target, less that in the source
  bool can_cut_ = true;      // false: it is not UTF-8
};

} // namespace

bool append_fossil_delta(std::string& out, std::string_view source, std::string_view target,
                         delta_cuts cuts) {
  assert(source.size() < 1U << 30U && target.size() < 1U << 30U);
  const auto before = out.size();
  if (encoder{out, source, target, cuts}.encode())
    return true;
  out.resize(before);
  return false;
}

} // namespace canang::net::centrifugo
