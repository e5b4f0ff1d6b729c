#include "net/framing.hpp"

namespace canang::net {

namespace {

class websocket_frames final : public framing {
public:
  void append(std::string& out, frame_type type, std::string_view payload) const override {
    append_frame(out, type, payload);
  }
};

/// A turn's messages as they are: text with line ends between them.
class unframed final : public framing {
public:
  void append(std::string& out, frame_type type, std::string_view payload) const override {
    if (type == frame_type::text && !out.empty())
      out += '\n';
    out += payload;
  }
};

class batched_frames final : public framing {
public:
  explicit batched_frames(frame_type type) noexcept : type_(type) {}

  void append(std::string& out, frame_type type, std::string_view payload) const override {
    append_frame(out, type, payload);
  }

  const framing& of_turn() const noexcept override {
    static const unframed instance;
    return instance;
  }

  void finish(std::string& turn) const override {
    std::string head;
    append_frame_head(head, type_, turn.size());
    turn.insert(0, head);
  }

private:
  frame_type type_;
};

class lines final : public framing {
public:
  void append(std::string& out, frame_type, std::string_view payload) const override {
    out += payload;
    out += '\n';
  }
};

class bare final : public framing {
public:
  void append(std::string& out, frame_type, std::string_view payload) const override {
    out += payload;
  }
};

} // namespace

const framing& line_framing() noexcept {
  static const lines instance;
  return instance;
}

const framing& bare_framing() noexcept {
  static const bare instance;
  return instance;
}

const framing& batched_text_framing() noexcept {
  static const batched_frames instance{frame_type::text};
  return instance;
}

const framing& batched_binary_framing() noexcept {
  static const batched_frames instance{frame_type::binary};
  return instance;
}

const framing& websocket_framing() noexcept {
  static const websocket_frames instance;
  return instance;
}

} // namespace canang::net
