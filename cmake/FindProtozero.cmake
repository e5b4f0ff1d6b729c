# Finds Protozero, headers that read Protobuf; Debian's libprotozero-dev ships no CMake package.
#
# Result: Protozero_FOUND, Protozero_VERSION and the target Protozero::protozero.

find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp)

if(PROTOZERO_INCLUDE_DIR)
  file(STRINGS "${PROTOZERO_INCLUDE_DIR}/protozero/version.hpp" protozero_version_line
    REGEX "#define PROTOZERO_VERSION_STRING ")
  string(REGEX MATCH "[0-9.]+" Protozero_VERSION "${protozero_version_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Protozero
  REQUIRED_VARS PROTOZERO_INCLUDE_DIR
  VERSION_VAR Protozero_VERSION
  REASON_FAILURE_MESSAGE "its headers are in Debian's package libprotozero-dev")

if(Protozero_FOUND AND NOT TARGET Protozero::protozero)
  add_library(Protozero::protozero INTERFACE IMPORTED)
  set_target_properties(Protozero::protozero PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${PROTOZERO_INCLUDE_DIR}")
endif()
