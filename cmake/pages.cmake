# The manual page and the shells' completions, written by a program that is linked to the command's tables of options.
# Without an emulator a cross build cannot run it, and goes without them.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  set(fanin_pages "")
  return()
endif()

file(GLOB page_writers CONFIGURE_DEPENDS cli/pages/*.c)
add_executable(fanin_pages ${page_writers})
set_target_properties(fanin_pages PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(fanin_pages PRIVATE FANIN_DATADIR="${CMAKE_INSTALL_DATADIR}/fanin"
                                               FANIN_DOCDIR="${CMAKE_INSTALL_DOCDIR}")
target_link_libraries(fanin_pages PRIVATE fanin_cli_parts fanin)
fanin_own_code(fanin_pages)

foreach(page IN ITEMS man=fanin.1 bash=completion/fanin fish=completion/fanin.fish zsh=completion/_fanin)
  string(REPLACE "=" ";" page ${page})
  list(GET page 0 kind)
  list(GET page 1 name)
  set(page_file ${PROJECT_BINARY_DIR}/pages/${name})
  list(APPEND fanin_pages ${page_file})
  add_custom_command(OUTPUT ${page_file} COMMAND fanin_pages ${kind} > ${page_file} DEPENDS fanin_pages
                     COMMENT "Writing ${name}" VERBATIM)
endforeach()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/pages/completion)
add_custom_target(fanin_manual ALL DEPENDS ${fanin_pages})
