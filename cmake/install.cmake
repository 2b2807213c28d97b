# What `cmake --install` lays down: libraries, headers, command, models, rules, the CMake package and the pkg-config
# file. All paths inside are relative, so that the installed tree can be moved. Four components, which package.cmake
# makes packages of: runtime is what a program needs that is linked to fanin, development what it takes to make one,
# command the rest, and mpi the command for many ranks.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fanin)

install(TARGETS fanin EXPORT fanin-targets
        LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
        RUNTIME COMPONENT runtime
        ARCHIVE COMPONENT development)
install(TARGETS fanin_static EXPORT fanin-targets ARCHIVE COMPONENT development)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
if(FANIN_BUILD_CLI)
  install(TARGETS fanin_cli RUNTIME COMPONENT command)
  if(TARGET fanin_mpi)
    install(TARGETS fanin_mpi RUNTIME COMPONENT mpi) # by itself: no package of the others is to need MPI
    install(FILES mpi/fanin-mpi.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT mpi)
  endif()
  if(fanin_pages)
    set(pages ${PROJECT_BINARY_DIR}/pages)
    set(share ${CMAKE_INSTALL_DATADIR})
    install(FILES ${pages}/fanin.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command)
    install(FILES ${pages}/completion/fanin DESTINATION ${share}/bash-completion/completions COMPONENT command)
    install(FILES ${pages}/completion/fanin.fish DESTINATION ${share}/fish/vendor_completions.d COMPONENT command)
    install(FILES ${pages}/completion/_fanin DESTINATION ${share}/zsh/site-functions COMPONENT command)
  endif()
endif()
install(DIRECTORY share/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fanin/models COMPONENT command)
install(DIRECTORY share/rules/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fanin/rules COMPONENT command)
install(FILES share/data/stream-v1.json DESTINATION ${CMAKE_INSTALL_DATADIR}/fanin/data COMPONENT command)
file(GLOB prose docs/*.md docs/*.svg) # what the help calls docs/
install(FILES CHANGELOG.md ${prose} DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT command)
install(DIRECTORY docs/decisions DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT command)

install(EXPORT fanin-targets NAMESPACE fanin:: DESTINATION ${package_dir} COMPONENT development)
configure_package_config_file(cmake/fanin-config.cmake.in fanin-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break the API.
write_basic_package_version_file(fanin-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fanin-config.cmake ${PROJECT_BINARY_DIR}/fanin-config-version.cmake
        DESTINATION ${package_dir} COMPONENT development)

file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
set(pc_dl "") # dlopen(), where it is not the C library's
foreach(library IN LISTS CMAKE_DL_LIBS)
  string(APPEND pc_dl " -l${library}")
endforeach()
configure_file(cmake/fanin.pc.in fanin.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/fanin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
