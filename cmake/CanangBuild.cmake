# Compiler, linker and cache settings shared by every target.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CANANG_CCACHE ccache)
if(CANANG_CCACHE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_SOURCE_DIR}/scripts/ccache_clang")
  else()
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CANANG_CCACHE}")
  endif()
endif()

find_program(CANANG_MOLD mold)
if(CANANG_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# What Debian asks of a server on the network: no table of addresses stays writable.
add_link_options($<$<CONFIG:Release>:LINKER:-z,relro,-z,now>)

add_library(canang_options INTERFACE)
target_compile_options(canang_options INTERFACE
  -Wall -Wextra -Wconversion -Werror -fno-omit-frame-pointer
  # Precompiled headers and ccache agree only when the compiler does not embed paths and times.
  -fpch-preprocess)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Without it a precompiled header is another one each time, and ccache finds nothing of what uses it.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  target_compile_options(canang_options INTERFACE -Wno-unknown-warning-option)
  set_property(TARGET canang_options PROPERTY INTERFACE_COMPILE_OPTIONS
    -Wall -Wextra -Wconversion -Werror -fno-omit-frame-pointer)
endif()
target_include_directories(canang_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(canang_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  SPDLOG_FMT_EXTERNAL)

if(CANANG_SANITIZE)
  add_compile_options(-fsanitize=${CANANG_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CANANG_SANITIZE})
  if(CANANG_SANITIZE MATCHES undefined)
    # CAF 0.17 casts the sentinel of a mailbox's list to an element (task_queue::back): harmless, seen
    # whenever a mailbox closes with a message in it, and compiled into us, as these are its headers.
    add_compile_options(-fno-sanitize=vptr)
  endif()
  if(CANANG_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns of each fence, which its ThreadSanitizer does not see. Asio has some, none of them
    # where we rely on it.
    add_compile_options(-Wno-tsan)
  endif()
endif()
