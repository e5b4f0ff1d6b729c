#include "app/admin/api_batch_request.hpp"

#include "app/admin/api_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

using simdjson::padded_string;
using entry = api_batch::entry;

entry refused(api_errc code, std::string&& why) {
  return {.method = {}, .command = api_error{.code = code, .message = std::move(why)}};
}

/// The names in a command that mean something, of which there is to be one.
std::vector<std::string_view> named_in(const dom::object& command) {
  std::vector<std::string_view> named;
  for (const auto field : command)
    if (!field.value.is_null())
      named.push_back(field.key);
  return named;
}

/// `text` is the command, and JSON.
entry read_command(const dom::object& command, const padded_string& text) {
  const auto named = named_in(command);
  if (named.size() > 1)
    return refused(api_errc::bad_request, "bad request: a command has one method");
  const auto methods = api_methods();
  const auto method = std::find_if(methods.begin(), methods.end(), [&](const api_method& one) {
    return !named.empty() && one.name == named.front();
  });
  if (method == methods.end())
    return refused(
      api_errc::method_not_found,
      fmt::format("method not found: '{}'", named.empty() ? "" : short_name(named.front())));
  return {.method = method->name, .command = method->read(raw_field(text, method->name))};
}

/// The commands as they stand; the array of a body that is known to be JSON.
std::vector<std::string> texts_of(const padded_string& array) {
  std::vector<std::string> texts;
  ondemand::parser parser;
  ondemand::document document;
  ondemand::array elements;
  if (parser.iterate(array).get(document) != simdjson::SUCCESS
      || document.get_array().get(elements) != simdjson::SUCCESS)
    return texts;
  for (auto one : elements) {
    ondemand::object object;
    std::string_view json;
    if (one.get_object().get(object) != simdjson::SUCCESS
        || object.raw_json().get(json) != simdjson::SUCCESS)
      return texts;
    texts.emplace_back(json);
  }
  return texts;
}

void add_command(const dom::element& element, const std::string& text, api_batch& into,
                 complaint& wrong) {
  dom::object command;
  if (element.get(command) != simdjson::SUCCESS) {
    wrong.unreadable("'commands' has to be an array of objects");
    return;
  }
  auto read = read_command(command, padded_string{text});
  const auto* const fault = std::get_if<api_error>(&read.command);
  if (fault != nullptr && fault->status != 200) {
    constexpr std::string_view kind = "bad request: ";
    wrong.unreadable(
      fmt::format("command {}: {}", into.commands.size() + 1, fault->message.substr(kind.size())));
    return;
  }
  if (fault != nullptr)
    read.method = {};
  into.commands.push_back(std::move(read));
}

/// All that a batch publishes has to be within the limits of one broadcast.
void check_weight(const api_batch& batch, complaint& wrong) {
  api_weight all;
  for (const auto& [method, command] : batch.commands) {
    const auto* const wanted = std::get_if<api_command>(&command);
    const auto one = wanted == nullptr ? api_weight{} : weight_of(*wanted);
    all.publishes += std::max<std::size_t>(one.publishes, 1);
    all.bytes += one.bytes;
  }
  if (all.publishes > max_api_publishes)
    wrong.refuse(fmt::format("'commands' has more than {} commands, or channels of broadcasts",
                             max_api_publishes));
  if (all.bytes > max_api_payload_bytes)
    wrong.refuse(
      fmt::format("the data of all 'commands' is more than {} bytes", max_api_payload_bytes));
}

api_batch read_batch(const dom::array& commands, const padded_string& body, complaint& wrong) {
  api_batch batch;
  const auto texts = texts_of(padded_string{raw_field(body, "commands")});
  std::size_t at = 0;
  for (const auto element : commands) {
    add_command(element, at < texts.size() ? texts[at] : std::string{}, batch, wrong);
    ++at;
    if (wrong.is_made())
      return batch;
  }
  check_weight(batch, wrong);
  return batch;
}

} // namespace

api_parsed<api_batch> parse_batch(std::string_view body) {
  static constexpr std::array<std::string_view, 2> known{"commands", "parallel"};
  return read_request<api_batch>(
    body, [](const dom::object& object, const padded_string& text, complaint& wrong) {
      const api_fields given{object, known, wrong};
      (void)given.flag("parallel"); // they are answered in their order in any case
      const auto commands = given.array("commands");
      if (!commands)
        wrong.refuse("'commands' is missing");
      else if (commands->size() > max_api_publishes)
        wrong.refuse(fmt::format("'commands' has more than {} commands", max_api_publishes));
      return wrong.is_made() ? api_batch{} : read_batch(*commands, text, wrong);
    });
}

} // namespace canang::admin
