#!/usr/bin/env python3
"""PyTorch's initializers on CUDA, timed by events: tools/gpu/check runs this with whatever Python has it.

usage: torch_peers.py BYTES ROUNDS

Prints one JSON object: PyTorch's version, the GPU, and for each case, by the names of `fanin bench`, the median seconds
of so many rounds, in memory that was touched before. A case's tensor has so many bytes, or its own shape. Exit status
3: no PyTorch, or none with CUDA.
"""
import json
import statistics
import sys

try:
    import torch
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

STD, BOUND = 0.02, 0.1


def seconds(work, rounds):
    work()
    times = []
    for _ in range(rounds):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 1e3)
    return statistics.median(times)


def cases(size):
    for name, dtype in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        tensor = torch.empty(size // dtype.itemsize, dtype=dtype, device="cuda")
        yield f"device_fill {name}", lambda t=tensor: t.fill_(0.5)
        yield f"uniform {name}", lambda t=tensor: t.uniform_(-BOUND, BOUND)
        yield f"normal {name}", lambda t=tensor: t.normal_(0, STD)
        yield f"trunc_normal {name}", lambda t=tensor: torch.nn.init.trunc_normal_(t, 0, STD, -2 * STD, 2 * STD)
    for rows, columns in ((1024, 1024), (2048, 2048), (4096, 4096), (768, 3072)):
        matrix = torch.empty(rows, columns, device="cuda")
        yield f"orthogonal_{rows}x{columns} f32", lambda m=matrix: torch.nn.init.orthogonal_(m)


def main():
    size, rounds = int(sys.argv[1]), int(sys.argv[2])
    if not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} sees no CUDA device", file=sys.stderr)
        sys.exit(3)
    results = {name: seconds(work, rounds) for name, work in cases(size)}
    report = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "bytes": size, "seconds": results}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
