/* A driver of OpenCL that starts and has no platform: what a loader asks it answers with the number in $FAKE_DRIVER. */
#include <stdlib.h>
#include <string.h>

#include <CL/cl.h>

static cl_int CL_API_CALL list_platforms(cl_uint capacity, cl_platform_id *platforms, cl_uint *count) {
  const char *const answer = getenv("FAKE_DRIVER");
  (void)capacity;
  (void)platforms;
  if (count) *count = 0;
  return answer ? (cl_int)strtol(answer, NULL, 10) : CL_SUCCESS;
}

__attribute__((visibility("default"))) void *CL_API_CALL clGetExtensionFunctionAddress(const char *name) {
  cl_int(CL_API_CALL *const function)(cl_uint, cl_platform_id *, cl_uint *) = list_platforms;
  void *address = NULL;
  if (strcmp(name, "clIcdGetPlatformIDsKHR") == 0) memcpy(&address, &function, sizeof address);
  return address;
}
