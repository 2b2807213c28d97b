/* What structs that the host hands to a kernel are declared with: the host's names of OpenCL's types, and assertions of
 * a struct's size and of where its members are, which fail to compile. Both the host's C and OpenCL C read these
 * headers. */
#ifndef FANIN_TYPES_H
#define FANIN_TYPES_H

#if defined(__OPENCL_C_VERSION__) || defined(__OPENCL_VERSION__)

typedef uint cl_uint;
typedef ulong cl_ulong;
typedef ulong4 cl_ulong4;
typedef ulong8 cl_ulong8;

#define FANIN__SIZE(type, bytes) typedef char type##_size[sizeof(type) == (bytes) ? 1 : -1]
#if defined(__clang__) /* OpenCL C has no offsetof */
#define FANIN__OFFSET(type, member, bytes)                                                                             \
  typedef char type##_##member[__builtin_offsetof(type, member) == (bytes) ? 1 : -1]
#else
#define FANIN__OFFSET(type, member, bytes) typedef char type##_##member
#endif

#else

#include <stddef.h>

#ifdef __APPLE__
#include <OpenCL/cl_platform.h>
#else
#include <CL/cl_platform.h>
#endif

#define FANIN__SIZE(type, bytes)           _Static_assert(sizeof(type) == (bytes), #type)
#define FANIN__OFFSET(type, member, bytes) _Static_assert(offsetof(type, member) == (bytes), #type "." #member)

#endif

#endif
