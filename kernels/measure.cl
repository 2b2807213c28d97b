/* Reductions of tensors, in one program: whoever inspects a tensor runs most of them, and a driver takes longer over
 * another program than over another kernel. */
#include "measure/bins.clh"
#include "measure/lines.clh"
#include "measure/moments.clh"
#include "measure/samples.clh"
#include "measure/series.clh"
