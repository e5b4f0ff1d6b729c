# Writes a C++ source with each script as a literal, the prelude in front of it.
#
#   cmake -DOUTPUT=scripts.cpp "-DPRELUDE=prelude.lua;events.lua" "-DSCRIPTS=publish.lua;read.lua"
#         -P embed.cmake

set(prelude "")
foreach(part IN LISTS PRELUDE)
  file(READ "${part}" text)
  string(APPEND prelude "${text}\n")
endforeach()
set(source "// Made by the build from cluster/rooms/scripts/*.lua.\n#include \"cluster/rooms/scripts.hpp\"\n\n")
string(APPEND source "namespace canang::cluster::scripts {\n\n")
foreach(script IN LISTS SCRIPTS)
  get_filename_component(name "${script}" NAME_WE)
  file(READ "${script}" text)
  string(APPEND source "const std::string_view ${name} = R\"lua(${prelude}\n${text})lua\";\n\n")
endforeach()
string(APPEND source "} // namespace canang::cluster::scripts\n")
file(WRITE "${OUTPUT}" "${source}")
