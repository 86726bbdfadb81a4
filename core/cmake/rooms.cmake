# Declares the rooms of the house. A room is one static library that may use only rooms that were
# declared before it (so lower never includes upper) and outside libraries by namespaced target: a bare
# name such as -ltorch would link without find_package and is refused. What is declared here is written
# to rooms.txt in the build folder, and a test holds every #include against it.

set_property(GLOBAL PROPERTY FOVEA_ROOMS "")

# fovea_room(NAME PATH <folder> SOURCES <files> [USES <rooms>] [LINKS <ns::targets>] [PRIVATE_LINKS <ns::targets>]
#            [REQUIRES <variable>])
# A room whose REQUIRES is false is declared, so that its includes are still checked, but not built.
function(fovea_room name)
  cmake_parse_arguments(ROOM "" "PATH;REQUIRES" "SOURCES;USES;LINKS;PRIVATE_LINKS" ${ARGN})
  if(ROOM_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "Room '${name}': unexpected arguments '${ROOM_UNPARSED_ARGUMENTS}'.")
  endif()
  string(JOIN "," uses ${ROOM_USES})
  string(JOIN "," links ${ROOM_LINKS} ${ROOM_PRIVATE_LINKS})
  set_property(GLOBAL APPEND_STRING PROPERTY FOVEA_ROOMS "${name} ${ROOM_PATH} uses=${uses} links=${links}\n")
  if(ROOM_REQUIRES AND NOT ${ROOM_REQUIRES})
    return()
  endif()
  foreach(used IN LISTS ROOM_USES)
    if(NOT TARGET fovea_${used})
      message(FATAL_ERROR "Room '${name}' uses '${used}', which is not declared below it.")
    endif()
  endforeach()
  foreach(link IN LISTS ROOM_LINKS ROOM_PRIVATE_LINKS)
    if(NOT link MATCHES "::")
      message(FATAL_ERROR "Room '${name}' links '${link}': only namespaced targets (pkg::lib) are allowed.")
    endif()
  endforeach()
  list(TRANSFORM ROOM_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/${ROOM_PATH}/")
  add_library(fovea_${name} STATIC ${ROOM_SOURCES})
  add_library(fovea::${name} ALIAS fovea_${name})
  target_include_directories(fovea_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  list(TRANSFORM ROOM_USES PREPEND "fovea::" OUTPUT_VARIABLE used_targets)
  target_link_libraries(fovea_${name} PUBLIC fovea_options ${used_targets} ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
endfunction()

function(fovea_write_rooms)
  get_property(rooms GLOBAL PROPERTY FOVEA_ROOMS)
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/rooms.txt" CONTENT "${rooms}")
endfunction()
