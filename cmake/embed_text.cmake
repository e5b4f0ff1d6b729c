# Writes a C++ source that defines a text, declared elsewhere as `extern const std::string_view`, from a file.
#
#   cmake -DOUTPUT=openapi.cpp -DFILE=docs/openapi.json -DHEADER=app/admin/openapi.hpp
#         -DNAMESPACE=canang::admin -DNAME=openapi_json -P embed_text.cmake

foreach(required OUTPUT FILE HEADER NAMESPACE NAME)
  if(NOT DEFINED ${required} OR "${${required}}" STREQUAL "")
    message(FATAL_ERROR "embed_text.cmake: -D${required}=... is missing")
  endif()
endforeach()
file(READ "${FILE}" text)
file(WRITE "${OUTPUT}" "// Made by the build from a file. Do not edit.
#include \"${HEADER}\"

namespace ${NAMESPACE} {

const std::string_view ${NAME} = R\"embedded(${text})embedded\";

} // namespace ${NAMESPACE}
")
