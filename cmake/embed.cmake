# Writes kernels/<name>.cl, for each of NAMES, as C byte arrays with their includes resolved: the fanin__source_<name>
# that host/core/program.h declares, and the list of them all.
#   cmake -DKERNELS_DIR=kernels "-DNAMES=fill;measure" -DOUTPUT=kernels.c -P embed.cmake
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/bytes.cmake)

# Sets `out` to the text of `file` with each line #include "lib/other.clh" replaced by that file, the first time, and by
# nothing after that. Other includes, of <...>, are the host's, in headers that both compile. #line keeps the positions in a device's build log those of the files.
function(resolve file out)
  get_property(seen GLOBAL PROPERTY seen_files)
  if(file IN_LIST seen)
    set(${out} "" PARENT_SCOPE)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY seen_files ${file})
  if(NOT EXISTS "${KERNELS_DIR}/${file}")
    message(FATAL_ERROR "kernels/${file} is to be embedded but does not exist")
  endif()
  file(READ "${KERNELS_DIR}/${file}" rest)
  string(APPEND rest "\n") # the last line may lack it
  set(text "#line 1 \"${file}\"\n")
  set(line 1)
  while("${rest}" MATCHES "(^|\n)[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"[^\n]*\n")
    set(directive "${CMAKE_MATCH_0}")
    set(lead "${CMAKE_MATCH_1}")
    set(included "${CMAKE_MATCH_2}")
    string(FIND "${rest}" "${directive}" position)
    string(SUBSTRING "${rest}" 0 ${position} head)
    string(LENGTH "${directive}" length)
    math(EXPR position "${position} + ${length}")
    string(SUBSTRING "${rest}" ${position} -1 rest)
    string(REGEX REPLACE "[^\n]" "" newlines "${head}${directive}")
    string(LENGTH "${newlines}" length)
    math(EXPR line "${line} + ${length}")
    resolve("${included}" body)
    string(APPEND text "${head}${lead}${body}#line ${line} \"${file}\"\n")
  endwhile()
  set(${out} "${text}${rest}" PARENT_SCOPE)
endfunction()

set(c "/* Written by cmake/embed.cmake from kernels/. */\n#include \"core/program.h\"\n")
set(all "")
foreach(name IN LISTS NAMES)
  string(APPEND all "&fanin__source_${name}, ")
  set_property(GLOBAL PROPERTY seen_files "")
  resolve("${name}.cl" text)
  string(HEX "${text}" digits)
  byte_array(${name}_text "${digits}" array)
  string(APPEND c "\n${array}"
                  "const fanin__source fanin__source_${name} = "
                  "{\"${name}\", (const char *)${name}_text, sizeof ${name}_text};\n")
endforeach()
file(WRITE "${OUTPUT}" "${c}\nconst fanin__source *const fanin__sources[] = {${all}NULL};\n")
