// Compression of WebSocket messages (RFC 7692): offers of clients, what they have compressed, and what we compress.
// What is inflated must be what zlib makes of it a byte at a time, up to the limit; what is compressed must say the
// same, in fewer bytes.

#include "net/frame.hpp"
#include "net/http/fields.hpp"
#include "net/websocket/extensions.hpp"
#include "net/websocket/frame_deflater.hpp"
#include "net/websocket/message_inflater.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/utf8.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace canang::net;
using canang::fuzz::require;
using outcome = message_inflater::outcome;

constexpr std::string_view tail{"\0\0\xff\xff", 4};

/// Inflates a message a byte at a time, and no more than a byte beyond `limit`.
class plain_inflater {
public:
  plain_inflater(std::string_view packed, std::size_t limit) : limit_(limit) {
    require(::inflateInit2(&state_, -15) == Z_OK, "zlib has memory");
    const bool is_whole = feed_all(packed, true) || (!is_bad_ && feed_all(tail, false));
    is_bad_ = is_bad_ || !is_whole;
  }
  plain_inflater(const plain_inflater&) = delete;
  plain_inflater& operator=(const plain_inflater&) = delete;
  ~plain_inflater() { ::inflateEnd(&state_); }

  [[nodiscard]] bool is_too_big() const { return made_.size() > limit_; }
  [[nodiscard]] bool is_bad() const { return is_bad_; }
  [[nodiscard]] const std::string& made() const { return made_; }

private:
  /// @returns whether the message is over, and right.
  bool feed_all(std::string_view bytes, bool is_payload) {
    if (is_payload && bytes.empty())
      return true;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const bool has_ended = feed(bytes[i]);
      if (is_bad_ || is_too_big())
        return is_too_big();
      if (has_ended && i + 1 == bytes.size())
        return true;
      if (has_ended)
        ::inflateReset(&state_);
    }
    return !is_payload && (state_.data_type & 128) != 0 && (state_.data_type & 63) == 0;
  }

  /// @returns whether the stream says that it is over.
  bool feed(char byte) {
    auto in = static_cast<Bytef>(byte);
    state_.next_in = &in;
    state_.avail_in = 1;
    for (;;) {
      std::array<Bytef, 512> out;
      state_.next_out = out.data();
      state_.avail_out = out.size();
      const auto result = ::inflate(&state_, Z_NO_FLUSH);
      made_.append(reinterpret_cast<const char*>(out.data()), out.size() - state_.avail_out);
      if (result == Z_STREAM_END)
        return true;
      if (result != Z_OK && result != Z_BUF_ERROR)
        is_bad_ = true;
      if (is_bad_ || is_too_big() || state_.avail_out > 0)
        return false;
    }
  }

  std::size_t limit_;
  z_stream state_{};
  std::string made_;
  bool is_bad_ = false;
};

void look_at_offers(std::string_view text) {
  const auto agreed = agree_on_extensions(text);
  if (!agreed)
    return;
  require(agreed->answer.empty() == (agreed->packing == compression::none),
          "an agreement has an answer");
  if (agreed->packing == compression::none)
    return;
  require(text.find("permessage-deflate") != std::string_view::npos, "nothing is made up");
  const auto again = agree_on_extensions(agreed->answer);
  require(again && again->packing == agreed->packing && again->answer == agreed->answer,
          "an answer can be offered");
}

message_inflater::message inflate(message_inflater& with, std::string_view packed, bool is_text,
                                  std::size_t limit) {
  // memory of its own size, so that a step too far is seen
  const auto bytes = std::make_unique<char[]>(packed.size());
  std::copy(packed.begin(), packed.end(), bytes.get());
  return with.inflate({bytes.get(), packed.size()}, is_text, limit);
}

void look_at_packed(message_inflater& with, std::string_view packed, bool is_text,
                    std::size_t limit) {
  const auto found = inflate(with, packed, is_text, limit);
  require(found.made_bytes <= limit + 1, "no more is made than tells that it is too much");
  require(found.what == outcome::whole || found.payload.empty(),
          "only what is right has a payload");
  const plain_inflater expected{packed, limit};
  const std::string_view said{found.payload.data(), found.payload.size()};
  switch (found.what) {
  case outcome::whole:
    require(!expected.is_bad() && !expected.is_too_big() && said == expected.made(),
            "zlib makes the same of it");
    require(!is_text || canang::fuzz::decode_utf8(expected.made()).has_value(), "a text is one");
    break;
  case outcome::too_big:
    require(expected.is_too_big() || packed.size() > 512, "it is too big, or heads of blocks");
    break;
  case outcome::invalid: require(expected.is_bad(), "it is not right"); break;
  case outcome::not_utf8:
    require(is_text && !canang::fuzz::decode_utf8(expected.made()), "it is no text");
    break;
  }
}

/// Messages of sizes that the fuzzer gives, in frames.
void look_at_frames(frame_deflater& with, message_inflater& back, canang::fuzz::input in) {
  const auto how = in.byte() % 2 == 0 ? compression::deflate : compression::narrow_deflate;
  const std::size_t least = in.byte();
  std::string frames = "before";
  const auto from = frames.size();
  std::vector<std::string> messages;
  for (unsigned i = in.byte() % 8U; i > 0; --i) {
    const auto times = in.byte() % 4U + 1;
    const auto part = canang::fuzz::text_of(in.take(in.byte()));
    auto& message = messages.emplace_back();
    for (unsigned t = 0; t < times; ++t)
      message += part;
    append_frame(frames, i % 2 == 0 ? frame_type::text : frame_type::binary, message);
  }
  const auto before = frames.size();
  with.deflate(frames, from, least, how);
  require(frames.size() <= before && frames.starts_with("before"), "nothing becomes longer");
  auto rest = std::string_view{frames}.substr(from);
  for (const auto& message : messages) {
    const auto first = static_cast<unsigned char>(rest.at(0));
    std::size_t size = static_cast<unsigned char>(rest.at(1));
    std::size_t head = 2;
    if (size == 126) {
      size = static_cast<unsigned char>(rest.at(2)) * 256U + static_cast<unsigned char>(rest.at(3));
      head = 4;
    }
    const auto payload = rest.substr(head, size);
    require(payload.size() == size, "frames are whole");
    rest.remove_prefix(head + size);
    if ((first & 0x40U) == 0) {
      require(payload == message, "what is not compressed is as it was");
      continue;
    }
    require(message.size() >= least && payload.size() < message.size(), "it pays");
    const auto said = inflate(back, payload, false, message.size());
    require(said.what == outcome::whole
              && std::string_view{said.payload.data(), said.payload.size()} == message,
            "it says the same");
  }
  require(rest.empty(), "there are as many");
}

struct world {
  loop_metrics metrics;
  frame_deflater deflater{metrics};
  message_inflater inflater{metrics};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static world all;
  canang::fuzz::input in{data, size};
  const auto how = in.byte() % 4;
  if (how == 0) {
    look_at_offers(canang::fuzz::text_of(in.all(1024)));
  } else if (how == 1) {
    look_at_frames(all.deflater, all.inflater, in);
  } else {
    const std::size_t limit = in.byte() * 257U;
    look_at_packed(all.inflater, canang::fuzz::text_of(in.all(2048)), how == 2, limit);
  }
  return 0;
}
