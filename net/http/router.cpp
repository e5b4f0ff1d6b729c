#include "net/http/router.hpp"

#include "net/limits.hpp"

#include <boost/beast/http/verb.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace canang::net {

namespace {

/// Whether a route is for a method: one for GET is for HEAD too.
bool answers(const router::route& to, http_method method) noexcept {
  return to.method == method || to.method == http_method::unknown
         || (method == http_method::head && to.method == http_method::get);
}

const router::route* find_method(const std::vector<router::route>& routes,
                                 http_method method) noexcept {
  const auto is_exactly = [&](const auto& to) { return to.method == method; };
  auto found = std::find_if(routes.begin(), routes.end(), is_exactly);
  if (found == routes.end())
    found = std::find_if(routes.begin(), routes.end(),
                         [&](const auto& to) { return answers(to, method); });
  return found == routes.end() ? nullptr : &*found;
}

} // namespace

std::string router::resource::allowed() const {
  std::string methods;
  const auto add = [&](std::string_view name) {
    methods += methods.empty() ? "" : ", ";
    methods += name;
  };
  const auto has = [&](http_method method) {
    return std::any_of(routes.begin(), routes.end(),
                       [&](const auto& to) { return to.method == method; });
  };
  for (const auto& to : routes) {
    add(to_string(to.method));
    if (to.method == http_method::get && !has(http_method::head))
      add("HEAD");
  }
  if (has_cors() && !has(http_method::options))
    add("OPTIONS");
  return methods;
}

bool router::resource::has_cors() const noexcept {
  return std::any_of(routes.begin(), routes.end(), [](const auto& to) { return to.options.cors; });
}

void router::add(http_method method, std::string pattern, route_options options,
                 http_handler handler) {
  if (options.body_limit > max_body_limit)
    throw std::invalid_argument{"bodies that are too large for " + pattern};
  add(std::move(pattern), {method, std::move(options), std::move(handler)});
}

void router::add_page(std::string pattern, route_options options,
                      std::function<page_response(const http_request&)> page) {
  add(http_method::get, std::move(pattern), std::move(options),
      [page = std::move(page)](const http_request& request, responder& respond) {
        respond.reply(page(request));
      });
}

void router::add_upgrade(std::string pattern, http_handler handler) {
  add(std::move(pattern), {http_method::unknown, {}, std::move(handler), true});
}

void router::add(std::string pattern, route&& added) {
  const auto has_it = [&](const resource& at) { return at.pattern.text() == pattern; };
  auto at = std::find_if(resources_.begin(), resources_.end(), has_it);
  if (at == resources_.end()) {
    resource made{path_pattern{std::move(pattern)}, {}};
    const auto before = [&](const resource& each) {
      return made.pattern.comes_before(each.pattern);
    };
    at = resources_.insert(std::find_if(resources_.begin(), resources_.end(), before),
                           std::move(made));
  }
  const auto is_there = [&](const route& to) {
    return to.method == added.method || to.is_upgrade || added.is_upgrade;
  };
  if (std::any_of(at->routes.begin(), at->routes.end(), is_there))
    throw std::invalid_argument{"two handlers for " + at->pattern.text()};
  at->routes.push_back(std::move(added));
}

router::match router::find(http_method method, std::string_view path,
                           path_values& values) const noexcept {
  for (const auto& at : resources_)
    if (at.pattern.matches(path, values))
      return {&at, find_method(at.routes, method)};
  values = {};
  return {};
}

std::optional<page_response> router::refusal(const match& of, const http_request& request) const {
  const auto* const to = of.to != nullptr   ? of.to
                         : of.at != nullptr ? &of.at->routes.front()
                                            : nullptr;
  if (to != nullptr && to->options.is_open)
    return std::nullopt;
  const auto& asked = to != nullptr && to->options.guard ? to->options.guard : guard_;
  return asked ? asked(request) : std::nullopt;
}

} // namespace canang::net
