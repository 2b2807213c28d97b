/* The table of subcommands. */
#include "base/commands.h"

const command commands[] = {
    {"devices", "list the OpenCL devices and what matters about them", cmd_devices, &devices_syntax},
    {"list", "list the initializers: formula, parameters, source", cmd_list, &list_syntax},
    {"init", "fill a model's tensors on a device and write them to a file", cmd_init, &init_syntax},
    {"inspect", "measure the tensors of a file on a device, beside what is expected", cmd_inspect, &inspect_syntax},
    {"probe", "run an MLP on a device and check its variance and gradients by layer", cmd_probe, &probe_syntax},
    {"bench", "measure how fast a device fills tensors, beside its own fill", cmd_bench, &bench_syntax},
    {0}};
