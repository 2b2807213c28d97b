/* How often each stretch of numbers occurs: a histogram by a number's upper 16 bits, in an order that ascends with it.
 *
 * Each item counts runs of equal keys by itself, so that a constant
 * tensor is not one long queue for one counter. */
#include "lib/elements.clh"

/* The number's bits in f32 (narrow dtypes: its own, in the upper half), rearranged so that they ascend with it: counted
 * from the middle upwards, or downwards for negative numbers. */
static inline uint ascending(global const element *data, const ulong e) {
#if ELEMENT_BITS <= 16
  const uint bits = data[e], sign = 1u << (ELEMENT_BITS - 1), magnitude = bits & (sign - 1);
  return (bits & sign ? 0x7fff - magnitude : 0x8000 + magnitude) << 16;
#else
  const uint bits = as_uint((float)data[e]);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
#endif
}

/* Item i takes elements i * pitch, i * pitch + step, ... below i * pitch + span. counts[65536] is added to: of all
 * elements by their upper 16 bits where `within` is above 65535, else of those with these upper bits by their lower. */
kernel void keys(global const element *buffer, const ulong offset, const ulong count, const ulong pitch,
                 const ulong step, const ulong span, const uint within, global uint *counters) {
  global const element *data = buffer + offset;
  const ulong begin = get_global_id(0) * pitch;
  const ulong end = min(begin + span, count);
  uint key = 0, run = 0;
  for (ulong e = begin; e < end; e += step) {
    const uint number = ascending(data, e);
    const bool counts_here = within > 0xffff || number >> 16 == within;
    const uint own = within > 0xffff ? number >> 16 : number & 0xffff;
    if (!counts_here) continue;
    if (own == key) {
      run++;
      continue;
    }
    if (run > 0) atomic_add(&counters[key], run);
    key = own;
    run = 1;
  }
  if (run > 0) atomic_add(&counters[key], run);
}
