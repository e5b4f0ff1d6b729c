# Finds the core library of CAF (C++ Actor Framework); Debian's libcaf-dev ships no CMake package.
#
# With CANANG_CAF_SOURCE, a folder with CAF's source of the same version, the library is built from that
# with the options of this build: ThreadSanitizer must see what the library does with locks and atomics,
# else it takes each message between two threads for a race.
#
# Result: CAF_FOUND, CAF_VERSION and the target CAF::core.

find_path(CAF_INCLUDE_DIR caf/all.hpp)
find_library(CAF_CORE_LIBRARY caf_core)

if(CAF_INCLUDE_DIR)
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" caf_version_line REGEX "#define CAF_VERSION ")
  string(REGEX MATCH "[0-9]+" caf_version_number "${caf_version_line}")
  if(caf_version_number)
    math(EXPR caf_major "${caf_version_number} / 10000")
    math(EXPR caf_minor "(${caf_version_number} / 100) % 100")
    math(EXPR caf_patch "${caf_version_number} % 100")
    set(CAF_VERSION "${caf_major}.${caf_minor}.${caf_patch}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_CORE_LIBRARY CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION)

if(CAF_FOUND AND CANANG_CAF_SOURCE AND NOT TARGET CAF::core)
  file(GLOB_RECURSE caf_sources CONFIGURE_DEPENDS "${CANANG_CAF_SOURCE}/libcaf_core/src/*.cpp")
  if(NOT caf_sources)
    message(FATAL_ERROR "there is no source of CAF in ${CANANG_CAF_SOURCE}")
  endif()
  add_library(caf_core STATIC ${caf_sources})
  target_include_directories(caf_core SYSTEM PUBLIC "${CAF_INCLUDE_DIR}")
  target_compile_options(caf_core PRIVATE -w) # it is not ours to mend
  target_link_libraries(caf_core PUBLIC Threads::Threads)
  set_target_properties(caf_core PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
  add_library(CAF::core ALIAS caf_core)
elseif(CAF_FOUND AND NOT TARGET CAF::core)
  add_library(CAF::core UNKNOWN IMPORTED)
  set_target_properties(CAF::core PROPERTIES
    IMPORTED_LOCATION "${CAF_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
endif()
mark_as_advanced(CAF_INCLUDE_DIR CAF_CORE_LIBRARY)
