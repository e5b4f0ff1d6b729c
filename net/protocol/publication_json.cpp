#include "net/protocol/publication_json.hpp"

#include "net/json.hpp"

namespace canang::net {

void append_place_fields(std::string& out, std::string_view epoch, std::uint64_t offset) {
  out += "\"epoch\":";
  append_json_string(out, epoch);
  out += ",\"offset\":";
  out += std::to_string(offset);
}

void append_publication_fields(std::string& out, const outgoing_publication& publication) {
  using kind = outgoing_publication::kind;
  if (publication.has_place()) {
    append_place_fields(out, publication.epoch, publication.offset);
    out += ',';
  }
  if (publication.what != kind::message) {
    out += publication.what == kind::joined ? "\"joined\":" : "\"left\":";
    out += publication.data;
  } else if (publication.type == frame_type::text) {
    out += "\"data\":";
    append_json_string(out, publication.data);
  } else {
    out += "\"data64\":\"";
    append_base64(out, publication.data);
    out += '"';
  }
}

} // namespace canang::net
