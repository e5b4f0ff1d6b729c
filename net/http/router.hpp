#pragma once

#include "net/http/origin.hpp"
#include "net/http/path_pattern.hpp"
#include "net/http/request.hpp"
#include "net/http/responder.hpp"
#include "net/http/types.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// Answers a request, or sees to it that it is answered.
using http_handler = std::function<void(const http_request&, responder&)>;

/// Asked before anything else is done for a request: the answer to one who may not ask.
using http_guard = std::function<std::optional<page_response>(const http_request&)>;

/// What holds for one route; the defaults are for a page.
struct route_options {
  /// Longest body in bytes. The handler is called when all of it has come; one that is longer gets 413, as soon
  /// as that can be told. 0: a request with a body gets 400.
  std::size_t body_limit = 0;
  /// Web pages of the allowed origins may use it (CORS), those of others get 403. OPTIONS is answered.
  bool cors = false;
  /// Everyone may ask: the router's guard is not.
  bool is_open = false;
  /// Asked instead of the router's guard.
  http_guard guard{};
  /// Each request becomes a line of the log, also where it is refused: the access log.
  bool is_logged = false;
};

/// The endpoints of one port: which handler answers which request. To add one:
///
///   paths.add(http_method::post, "/api/{method}", {.body_limit = 64 * 1024, .guard = has_api_key},
///             [](const http_request& asked, responder& respond) {
///               respond.reply(text_response(200, std::string{asked.values["method"]}));
///             });
///
/// What a route says is all that there is to it: the session reads bodies, answers HEAD where there is a GET,
/// OPTIONS where there is CORS, 404 and 405 by itself. Its order is: origin, guard, method, body, handler. So a
/// body is read only of those who may ask. `responder` tells how to answer later, and how to take a
/// connection over for another protocol or for an answer that does not end.
///
/// Filled before it is used and constant afterwards, so handlers run on any loop that uses it: those of the
/// public port have a router each loop, the internal port one.
class router {
public:
  struct route {
    http_method method; ///< `unknown`: any
    route_options options;
    http_handler handler;
    bool is_upgrade = false;
  };

  /// All routes of one pattern.
  struct resource {
    path_pattern pattern;
    std::vector<route> routes;

    /// Methods that are answered, as a list.
    [[nodiscard]] std::string allowed() const;

    /// Whether web pages may use some of them.
    [[nodiscard]] bool has_cors() const noexcept;
  };

  /// What was found: the resource is null where there is none, the route where it has not that method.
  struct match {
    const resource* at = nullptr;
    const route* to = nullptr;
  };

  router() = default;
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// Whose web pages may use routes with CORS.
  void set_origins(origin_rules origins) { origins_ = std::move(origins); }

  /// Asked for all paths, also for those that are not there, but for routes that are open or have a guard of
  /// their own.
  void set_guard(http_guard guard) { guard_ = std::move(guard); }

  /// What is told with 404.
  void set_not_found(std::string text) { not_found_ = std::move(text); }

  /// Adds a route. A pattern that is none, and a second handler for the same, are programmer's errors, and throw
  /// std::invalid_argument. See `path_pattern`.
  void add(http_method method, std::string pattern, route_options options, http_handler handler);

  /// Adds a page: GET and HEAD, answered at once.
  void add_page(std::string pattern, route_options options,
                std::function<page_response(const http_request&)> page);

  /// Adds an endpoint that takes connections over for another protocol (Upgrade). The handler is called
  /// whatever the method, and whatever is said of a body, which is not read: it refuses both in its own words. A
  /// page's origin is its business too.
  void add_upgrade(std::string pattern, http_handler handler);

  /// The route of a request; `values` gets what its pattern names.
  [[nodiscard]] match find(http_method method, std::string_view path,
                           path_values& values) const noexcept;

  /// What the guard of this has against a request, if anything. Sees no body.
  [[nodiscard]] std::optional<page_response> refusal(const match& of,
                                                     const http_request& request) const;

  [[nodiscard]] const origin_rules& origins() const noexcept { return origins_; }
  [[nodiscard]] const std::string& not_found() const noexcept { return not_found_; }

private:
  void add(std::string pattern, route&& added);

  std::vector<resource> resources_; // in the order in which they are asked
  origin_rules origins_;
  http_guard guard_;
  std::string not_found_ = "there is nothing here";
};

} // namespace canang::net
