// `canang import-centrifugo`: whatever a configuration says, what is made of it is a configuration file that is
// taken, without its secrets.

#include "app/import/import_centrifugo.hpp"

#include "app/room_tables.hpp"
#include "app/toml_document.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace canang::app;
using canang::fuzz::require;

constexpr std::size_t largest_message = 64 * 1024;

void look_at(const centrifugo_import& made) {
  require(made.toml.empty() != made.fault.empty(), "there is a file, or a reason why not");
  require(made.fault.find('\n') == std::string::npos, "which is one line");
  if (made.toml.empty())
    return;
  const auto read = read_toml(made.toml);
  require(std::holds_alternative<toml_value>(read), "the file is TOML");
  const auto& document = std::get<toml_value>(read);
  canang::cluster::room_settings_table table;
  require(!read_room_tables(document, largest_message, table), "and its tables are right");
}

/// One that goes into the key of the API, into passwords and into what nobody knows shows nowhere.
void look_for_secret(std::string_view text) {
  static constexpr std::string_view secret = "q7q8q9q7q8q9q7q8q9";
  if (text.find('q') != std::string_view::npos)
    return;
  for (const auto* const before :
       {R"({"engine":{"type":"redis","redis":{"password":")", R"({"engine":"redis","api_key":")",
        R"({"http_api":{"key":")", R"({"xyz":[{"a":")",
        R"({"engine":"redis","redis_address":"redis://:)"}) {
    const auto made = import_centrifugo(std::string{before}.append(secret).append(text));
    const bool is_address = std::string_view{before}.find("address") != std::string_view::npos;
    if (!is_address || text.starts_with('@'))
      require(made.toml.find(secret) == std::string::npos, "no secret is shown");
    require(made.fault.find(secret) == std::string::npos, "nor in a refusal");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto made = import_centrifugo(text);
  look_at(made);
  require(import_centrifugo(text).toml == made.toml, "it is the same each time");
  look_for_secret(text.substr(0, 256));
  return 0;
}
