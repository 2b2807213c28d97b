#!/usr/bin/env bash
# Every distribution in every dtype, odd sizes, filled and measured by the command; for tools that watch kernels at work.
# usage: FANIN=command fills_and_measures.sh [TOOL]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tensors=()
for dtype in f32 f16 bf16 f64; do
  for init in constant:value=2 uniform he_normal trunc_normal trunc_normal:a=1,b=5 identity sparse hadamard \
    log_uniform log_uniform:hi=5,inverse_softplus=true s4d_real inv_freq alibi ramp; do
    tensors+=(--tensor "$init.$dtype:$dtype:OI:13x7" --init "$init")
  done
done
for dtype in f32 f16 bf16 f64; do # enough elements to be correlated
  tensors+=(--tensor "long.$dtype:$dtype:OI:20x17" --init normal)
  tensors+=(--tensor "sinusoidal.$dtype:$dtype::13x6" --init sinusoidal)
  tensors+=(--tensor "bilinear.$dtype:$dtype:OIHW:4x3x2x3" --init bilinear)
done
"$@" "$FANIN" init "${tensors[@]}" -o "$dir/all.safetensors"
for tensor in f32:OI:5x7 bf16:OI,groups=4:24x5 f64:IO:9x6 f16:OIHW:6x2x3x3; do # by files: they use memory again
  "$@" "$FANIN" init --tensor "w:$tensor" --init orthogonal -o "$dir/one.safetensors"
done
"$@" "$FANIN" inspect "$dir/all.safetensors"
