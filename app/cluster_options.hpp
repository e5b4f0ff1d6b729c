#pragma once

#include "actors/cluster_options.hpp"
#include "app/option_adder.hpp"

namespace canang::app {

/// Adds the options that link a node with others.
void add_cluster_options(option_adder& adder, actors::cluster_options& into);

} // namespace canang::app
