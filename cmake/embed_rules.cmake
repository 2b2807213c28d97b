# Writes every share/rules/<name>.json as C byte arrays: the rule_sets that cli/init/rules.h declares, in the order of names.
#   cmake -DRULES_DIR=rules -DOUTPUT=rules.c -P embed_rules.cmake
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/bytes.cmake)

set(c "/* Written by cmake/embed_rules.cmake from share/rules/. */\n#include \"init/rules.h\"\n")
set(rows "")
file(GLOB files ${RULES_DIR}/*.json)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} digits HEX)
  byte_array(${name}_json "${digits}" array)
  string(APPEND c "\n${array}")
  string(APPEND rows "  {\"${name}\", (const char *)${name}_json, sizeof ${name}_json},\n")
endforeach()
file(WRITE "${OUTPUT}" "${c}\nconst rule_set rule_sets[] = {\n${rows}  {NULL, NULL, 0},\n};\n")
