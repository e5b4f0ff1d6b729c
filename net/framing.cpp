#include "net/framing.hpp"

namespace canang::net {

namespace {

class websocket_frames final : public framing {
public:
  void append(std::string& out, frame_type type, std::string_view payload) const override {
    append_frame(out, type, payload);
  }
};

} // namespace

const framing& websocket_framing() noexcept {
  static const websocket_frames instance;
  return instance;
}

} // namespace canang::net
