# Debian packages by CPack, one for each component that install.cmake has: libfanin0, libfanin-dev, fanin, and fanin-mpi
# where that is built.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fanin)
set(CPACK_PACKAGE_VENDOR fanin)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # else it would be the first line of each description below
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
if(FANIN_BUILD_CLI)
  list(APPEND CPACK_COMPONENTS_ALL command)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "fanin contributors <fanin@example.org>")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# What is common to the descriptions; CPack indents it.
set(description "fanin fills OpenCL device buffers with random weights by the usual schemes
(He, Xavier, LeCun, truncated normal, orthogonal, ...). The same seed gives
the same bits on every device, for every shard and in every order.")

set(library libfanin${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${library})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "neural-network weights on OpenCL devices - library\n${description}")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libfanin-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${library} (= ${PROJECT_VERSION}), opencl-c-headers, ocl-icd-opencl-dev | opencl-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libdlpack-dev, opencl-clhpp-headers") # fanin/dlpack.h, fanin.hpp
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "neural-network weights on OpenCL devices - development files\n${description}
.
Headers, the static library, and files for CMake and pkg-config.")

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME fanin)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "${library} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_COMMAND_PACKAGE_SUGGESTS gnuplot-nox)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}) # where libfanin is before it is installed
set(CPACK_COMPONENT_COMMAND_DESCRIPTION
    "neural-network weights on OpenCL devices - command\n${description}
.
The command writes whole models to safetensors files, tests what such a file
holds, and probes whether a network keeps its variance.")

if(TARGET fanin_mpi)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
endif()
set(CPACK_DEBIAN_MPI_PACKAGE_NAME fanin-mpi)
set(CPACK_DEBIAN_MPI_PACKAGE_SECTION science)
set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "${library} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_MPI_PACKAGE_SUGGESTS "fanin (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_MPI_DESCRIPTION
    "neural-network weights on OpenCL devices - command for many ranks\n${description}
.
The command for MPI: each rank makes its shares, and all write one safetensors
file, the same to the bit as one process writes.")

# Copyright, changelog and compressed manual pages, as Debian's policy wants them.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian-files.cmake)
set(CPACK_FANIN_SOURCE ${PROJECT_SOURCE_DIR})
include(CPack)
