# What `cmake --install` lays down: libraries, headers, command, models, the CMake package and the pkg-config file. All
# paths inside are relative, so that the installed tree can be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fanin)

install(TARGETS fanin fanin_static EXPORT fanin-targets)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fanin/models)
if(FANIN_BUILD_CLI)
  install(TARGETS fanin_cli)
  if(fanin_pages)
    set(pages ${PROJECT_BINARY_DIR}/pages)
    install(FILES ${pages}/fanin.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${pages}/completion/fanin DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${pages}/completion/fanin.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
    install(FILES ${pages}/completion/_fanin DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  endif()
endif()
file(GLOB prose docs/*.md docs/*.svg) # what the help calls docs/
install(FILES CHANGELOG.md ${prose} DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT fanin-targets NAMESPACE fanin:: DESTINATION ${package_dir})
configure_package_config_file(cmake/fanin-config.cmake.in fanin-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break the API.
write_basic_package_version_file(fanin-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fanin-config.cmake ${PROJECT_BINARY_DIR}/fanin-config-version.cmake
        DESTINATION ${package_dir})

file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
if(FANIN_HAVE_CLBLAST)
  set(pc_requires_private clblast)
endif()
configure_file(cmake/fanin.pc.in fanin.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/fanin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
