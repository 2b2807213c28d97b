/* Devices: what a driver says of one, and which one a selector stands for. */
#ifndef HOST_CORE_DEVICE_H
#define HOST_CORE_DEVICE_H

#include "fanin/device.h"

/* Describes one device, with whether it is usable and the reason if it is not. */
fanin_status fanin__device_describe(cl_device_id device, fanin_device_info *info);

/* Every device of every platform, with whether it is usable. free() the list whatever comes back. */
fanin_status fanin__device_list(fanin_device_info **list, size_t *count);

/* How many 32-bit elements the vectors of the kernels have there: 1, 4, 8 or 16. */
size_t fanin__device_lanes(const fanin_device_info *info);

/* select.c: the usable device that fanin_open()'s selector stands for. */
fanin_status fanin__select(const char *selector, fanin_device_info *out);

#endif
