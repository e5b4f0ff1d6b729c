#pragma once

#include "app/admin/api_request.hpp"

#include <string_view>
#include <vector>

namespace canang::admin {

/// `POST /api/batch`: commands in their order.
struct api_batch {
  struct entry {
    std::string_view method; ///< that of an `api_method`; empty where the command is an error
    api_parsed<api_command> command;
  };

  std::vector<entry> commands;
};

/// A command that cannot be read makes the batch one that cannot; one that cannot be done is an error of its own.
[[nodiscard]] api_parsed<api_batch> parse_batch(std::string_view body);

} // namespace canang::admin
