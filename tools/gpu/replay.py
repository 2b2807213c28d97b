#!/usr/bin/env python3
"""Runs on CUDA what tools/gpu/record.c wrote down of OpenCL: the same kernels as PTX, the same launches, and compares
what is read back.

usage: replay.py RECORD [--json] [--repeat N]

RECORD has folders, each with a launches.jsonl and, for each program, PROGRAM.ptx beside its source. Needs NVIDIA's driver (libcuda.so.1) and
nothing else; the driver compiles the PTX for the GPU that is there. Each launch is repeated N times (default: 1) and
timed by events; the shortest time counts. Prints what was read wrongly, and one line for each kind of launch: its rate
beside that of the card's own memset of as many bytes. Exit status: 0 all right, 1 bits differ, 3 CUDA refused.
"""
import argparse
import collections
import ctypes
import json
import pathlib
import re
import sys
import zlib


class Cuda:
    """The driver API, each call checked, on the first device."""

    def __init__(self):
        self.library = ctypes.CDLL("libcuda.so.1")
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.cuInit(0)
        self.cuDeviceGet(ctypes.byref(device), 0)
        name, version = ctypes.create_string_buffer(256), ctypes.c_int()
        self.cuDeviceGetName(name, 256, device)
        self.cuDriverGetVersion(ctypes.byref(version))
        self.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
        self.cuCtxSetCurrent(context)
        self.name, self.version = name.value.decode(), f"{version.value // 1000}.{version.value % 1000 // 10}"

    def __getattr__(self, name):
        function = getattr(self.library, name)

        def checked(*arguments):
            code = function(*arguments)
            if code != 0:
                text = ctypes.c_char_p()
                self.library.cuGetErrorName(code, ctypes.byref(text))
                raise RuntimeError(f"{name}: {(text.value or b'?').decode()} ({code})")

        return checked

    def allocate(self, size):
        pointer = ctypes.c_uint64()
        self.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(max(size, 1)))
        return pointer

    def function(self, ptx, kernel):
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.cuModuleLoadData(ctypes.byref(module), ptx + b"\0")
        self.cuModuleGetFunction(ctypes.byref(function), module, kernel.encode())
        return function

    def milliseconds(self, work):
        events = [ctypes.c_void_p(), ctypes.c_void_p()]
        for event in events:
            self.cuEventCreate(ctypes.byref(event), 0)
        self.cuEventRecord(events[0], None)
        work()
        self.cuEventRecord(events[1], None)
        self.cuEventSynchronize(events[1])
        took = ctypes.c_float()
        self.cuEventElapsedTime(ctypes.byref(took), *events)
        for event in events:
            self.cuEventDestroy_v2(event)
        return took.value


class Replay:
    """All records, one after another."""

    def __init__(self, repeat):
        self.repeat, self.cuda = repeat, Cuda()
        self.reads, self.wrong = 0, []
        self.times = collections.OrderedDict()  # by kind of launch: [bytes, milliseconds]

    def begin(self, folder):
        self.folder = folder
        self.programs, self.buffers, self.sizes, self.functions = {}, {}, {}, {}

    def end(self):
        for buffer in self.buffers.values():
            self.cuda.cuMemFree_v2(buffer)

    def at(self, step):
        return ctypes.c_uint64(self.buffers[step["buffer"]].value + step["offset"])

    def do_program(self, step):
        ptx = self.folder / (pathlib.Path(step["source"]).stem + ".ptx")
        self.programs[step["id"]] = (ptx.read_bytes(), step["options"])

    def do_buffer(self, step):
        self.buffers[step["id"]] = self.cuda.allocate(step["bytes"])
        self.sizes[step["id"]] = step["bytes"]
        if step["data"]:
            self.do_write({"buffer": step["id"], "offset": 0, "data": step["data"]})

    def do_write(self, step):
        data = (self.folder / step["data"]).read_bytes()
        self.cuda.cuMemcpyHtoD_v2(self.at(step), data, ctypes.c_size_t(len(data)))

    def do_fill(self, step):
        pattern = bytes.fromhex(step["pattern"])
        size = len(pattern)
        if size not in (1, 2, 4):
            data = pattern * (step["bytes"] // size)
            self.cuda.cuMemcpyHtoD_v2(self.at(step), data, ctypes.c_size_t(len(data)))
            return
        fill = getattr(self.cuda, f"cuMemsetD{8 * size}_v2")
        value = int.from_bytes(pattern, "little")
        self.time(
            "the card's own fill",
            step["bytes"],
            lambda: fill(self.at(step), value, ctypes.c_size_t(step["bytes"] // size)),
        )

    def do_launch(self, step):
        ptx, options = self.programs[step["program"]]
        key = step["program"], step["kernel"]
        if key not in self.functions:
            self.functions[key] = self.cuda.function(ptx, step["kernel"])
        values, touched = [], 0
        for argument in step["arguments"]:
            if "buffer" in argument:
                values.append(self.buffers[argument["buffer"]])
                touched = touched or self.sizes[argument["buffer"]]
            else:
                data = bytes.fromhex(argument["value"])
                values.append(ctypes.create_string_buffer(data, len(data)))
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        groups, local = ((n + [1, 1])[:3] for n in (step["groups"], step["local"]))

        def launch():
            self.cuda.cuLaunchKernel(self.functions[key], *groups, *local, 0, None, pointers, None)

        defined = re.findall(r"-D ?(\w+)", re.sub(r"-D ?LANES=\d+", "", options))
        self.time(" ".join([step["kernel"], *defined]), touched, launch)

    def do_read(self, step):
        data = ctypes.create_string_buffer(step["bytes"])
        self.cuda.cuMemcpyDtoH_v2(data, self.at(step), ctypes.c_size_t(step["bytes"]))
        self.reads += 1
        if zlib.crc32(data.raw) != step["crc32"]:
            self.wrong.append({"record": self.folder.name, **step})

    def time(self, kind, size, work):
        """Of the largest of this kind."""
        least = min(self.cuda.milliseconds(work) for _ in range(self.repeat))
        if size > self.times.get(kind, (0, 0))[0] or (size == self.times[kind][0] and least < self.times[kind][1]):
            self.times[kind] = size, least

    def run(self, folder):
        self.begin(folder)
        with open(folder / "launches.jsonl", encoding="utf-8") as steps:
            for line in steps:
                step = json.loads(line)
                getattr(self, "do_" + step["do"])(step)
        self.cuda.cuCtxSynchronize()
        self.end()

    def report(self):
        rates = {kind: size / 1e6 / ms for kind, (size, ms) in self.times.items() if ms > 0}
        own = rates.get("the card's own fill")
        return {
            "gpu": self.cuda.name,
            "cuda": self.cuda.version,
            "reads": self.reads,
            "wrong": self.wrong,
            "gb_per_s": rates,
            "of_fill": {kind: rate / own for kind, rate in rates.items()} if own else None,
        }


def print_report(report):
    print(f"{report['gpu']}, CUDA {report['cuda']}")
    for kind, rate in report["gb_per_s"].items():
        share = f"{report['of_fill'][kind]:6.2f} of fill" if report["of_fill"] else ""
        print(f"{kind:40} {rate:9.1f} GB/s {share}")
    for step in report["wrong"]:
        print(f"wrong: {step['record']}, {step['bytes']} bytes")
    print(f"{report['reads']} reads, {len(report['wrong'])} wrong")


def main():
    parser = argparse.ArgumentParser(description="recorded launches, on CUDA")
    parser.add_argument("record", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    try:
        replay = Replay(options.repeat)
        for launches in sorted(options.record.glob("*/launches.jsonl")):
            replay.run(launches.parent)
        report = replay.report()
    except (OSError, RuntimeError) as error:
        print(f"replay: {error}", file=sys.stderr)
        sys.exit(3)
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        print_report(report)
    sys.exit(1 if report["wrong"] else 0)


if __name__ == "__main__":
    main()
