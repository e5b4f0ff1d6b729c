# What cpack makes: two Debian packages, `canang` (the server, its unit and config file) and
# `canang-tools` (the load generator). `./dev package` calls it. A plain `cmake --install` takes the
# executables only.

set(packaging "${PROJECT_SOURCE_DIR}/packaging")
set(made "${PROJECT_BINARY_DIR}/packaging")

# Debian wants the version at the top of the changelog, and so it stands twice: never differently.
file(STRINGS "${packaging}/changelog" changelog_head LIMIT_COUNT 1)
if(NOT changelog_head MATCHES "^canang \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "packaging/changelog begins with '${changelog_head}', "
                      "CMakeLists.txt has version ${PROJECT_VERSION}")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${packaging}/changelog")

# install_document(COMPONENT FOLDER NAME): compressed, in the one way that Debian wants.
function(install_document component folder name)
  set(compressed "${made}/${name}.gz")
  add_custom_command(OUTPUT "${compressed}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${made}"
    COMMAND gzip -9nc "${packaging}/${name}" > "${compressed}"
    DEPENDS "${packaging}/${name}" VERBATIM)
  set_property(GLOBAL APPEND PROPERTY canang_documents "${compressed}")
  install(FILES "${compressed}" DESTINATION "/usr/share/${folder}" COMPONENT ${component}
    EXCLUDE_FROM_ALL)
endfunction()

function(install_file component destination name)
  install(FILES "${packaging}/${name}" DESTINATION "${destination}" COMPONENT ${component}
    EXCLUDE_FROM_ALL)
endfunction()

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install_file(server /lib/systemd/system canang.service)
install_file(server /etc/canang canang.conf)
install_file(server /usr/share/doc/canang copyright)
install_file(tools /usr/share/doc/canang-tools copyright)
install_document(server doc/canang changelog)
install_document(server man/man8 canang.8)
install_document(tools man/man1 canang-load.1)
# The two are one source; each package has its changelog.
install(FILES "${made}/changelog.gz" DESTINATION /usr/share/doc/canang-tools COMPONENT tools
  EXCLUDE_FROM_ALL)
get_property(documents GLOBAL PROPERTY canang_documents)
add_custom_target(canang_documents ALL DEPENDS ${documents})
add_custom_target(canang_packaged DEPENDS canang canang-load canang_documents)

# Packaging takes what is built; it does not build the tests.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME canang)
set(CPACK_PACKAGE_VENDOR Canang)
set(CPACK_PACKAGE_CONTACT "Canang packagers <packagers@canang.invalid>" CACHE STRING
  "Maintainer of the Debian packages")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_SOURCE_DIR}/build/package")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has one of its own
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL server tools)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME canang)
set(CPACK_DEBIAN_SERVER_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS "canang-tools, redis-server")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  "${packaging}/postinst;${packaging}/prerm;${packaging}/postrm;${packaging}/conffiles")
set(CPACK_COMPONENT_SERVER_DESCRIPTION
  "distributed WebSocket broadcast service
Clients join rooms over WebSocket; what is published to a room reaches every
member, on every node, in one order. Alone a server keeps everything in memory;
with a Redis any number of nodes act as one.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME canang-tools)
set(CPACK_DEBIAN_TOOLS_FILE_NAME DEB-DEFAULT)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
  "load generator for WebSocket broadcast services
Connects members to rooms, publishes, and checks of each message that it came
to every member once and in order; prints throughput, latency and connect rate.
It speaks to canang, and to some services that do the same.")

include(CPack)
