/* The stream's elementary functions in double, for f64 tensors: the same formulas as math.cl on 64-bit draws. Division
 * and sqrt are used too, which OpenCL rounds correctly in double. docs/stream.md writes each out operation by
 * operation. */
#ifndef FANIN_MATH64_CL
#define FANIN_MATH64_CL

#include "store.cl"

#define MASK(condition) TO(long, condition)

/* (long(d) + 1/2) 2^-63 in [-1, 1]. */
static vdouble signed_unit(vulong d) {
  return fma(TO(double, AS(long, d)), (vdouble)(0x1p-63), (vdouble)(0x1p-64));
}

/* (d + 1/2) 2^-64 in (0, 1]. */
static vdouble positive_unit(vulong d) {
  return fma(TO(double, d), (vdouble)(0x1p-64), (vdouble)(0x1p-65));
}

/* -2 ln(1 + s) for sqrt(1/2) <= 1 + s < sqrt(2), through 2 artanh(q) with q = s / (2 + s). */
static vdouble neg2_log1p(vdouble s) {
  const vdouble q = s / (2.0 + s);
  const vdouble qq = q * q;
  vdouble p = (vdouble)(0x1.2b5f0a311ef55p-3);
  p = fma(p, qq, (vdouble)(0x1.39fdc7e8bd7ebp-3));
  p = fma(p, qq, (vdouble)(0x1.7462b9b6fac37p-3));
  p = fma(p, qq, (vdouble)(0x1.c71c62d1cee00p-3));
  p = fma(p, qq, (vdouble)(0x1.2492492e02a1ep-2));
  p = fma(p, qq, (vdouble)(0x1.9999999995230p-2));
  p = fma(p, qq, (vdouble)(0x1.5555555555558p-1));
  return -2.0 * fma(-q, fma(-p, qq, s), s);
}

/* x = 2^exponent (1 + s) with sqrt(1/2) <= 1 + s < sqrt(2), for a positive normal x. */
static vdouble split(vdouble x, vdouble *s) {
  const vlong i = AS(long, x) - 0x3fe6a09e667f3bcdl;
  *s = AS(double, (i & 0x000fffffffffffffl) + 0x3fe6a09e667f3bcdl) - 1.0;
  return TO(double, i >> 52);
}

/* -2 ln x for a positive normal x. */
static vdouble neg2_log(vdouble x) {
  vdouble s;
  const vdouble exponent = split(x, &s);
  return fma(exponent, (vdouble)(-0x1.62e42fefa39efp+0), neg2_log1p(s));
}

/* -2 ln u for u = (d + 1/2) 2^-64, from the complement near u = 1. */
static vdouble neg2_log_unit(vulong d) {
  vdouble s;
  const vdouble exponent = split(positive_unit(d), &s);
  const vdouble complement = fma(TO(double, AS(long, d)), (vdouble)(0x1p-64), (vdouble)(0x1p-65));
  return fma(exponent, (vdouble)(-0x1.62e42fefa39efp+0), neg2_log1p(select(s, complement, MASK(exponent == 0.0))));
}

/* cos and sin of 2 pi (d + 1/2) 2^-64. */
static void cos_sin(vulong d, vdouble *c, vdouble *s) {
  const vdouble t = fma(TO(double, AS(long, d << 2) >> 2), (vdouble)(0x1p-61), (vdouble)(0x1p-62));
  const vdouble tt = t * t;
  vdouble even = (vdouble)(-0x1.b264cc8f5a8a1p-42);
  even = fma(even, tt, (vdouble)(0x1.f9cc4154b7f1bp-34));
  even = fma(even, tt, (vdouble)(-0x1.a6d1ec795faf9p-26));
  even = fma(even, tt, (vdouble)(0x1.e1f50683565a9p-19));
  even = fma(even, tt, (vdouble)(-0x1.55d3c7e3c90fdp-12));
  even = fma(even, tt, (vdouble)(0x1.03c1f081b5aacp-6));
  even = fma(even, tt, (vdouble)(-0x1.3bd3cc9be45dep-2));
  even = fma(even, tt, (vdouble)(1.0));
  vdouble odd = (vdouble)(0x1.e3eed8c16e6f1p-38);
  odd = fma(odd, tt, (vdouble)(-0x1.e30063a95bdb2p-30));
  odd = fma(odd, tt, (vdouble)(0x1.50782fca4376cp-22));
  odd = fma(odd, tt, (vdouble)(-0x1.32d2cce2d5418p-15));
  odd = fma(odd, tt, (vdouble)(0x1.466bc67758700p-9));
  odd = fma(odd, tt, (vdouble)(-0x1.4abbce625be41p-4));
  odd = fma(odd, tt, (vdouble)(0x1.921fb54442d18p-1));
  odd = odd * t;
  const vulong quadrant = d + 0x2000000000000000ul; /* in bits 63 and 62 */
  const vulong sign = (vulong)(0x8000000000000000ul);
  const vlong swap = MASK(AS(long, quadrant << 1) < 0l);
  *c = AS(double, AS(ulong, select(even, odd, swap)) ^ ((quadrant ^ (quadrant << 1)) & sign));
  *s = AS(double, AS(ulong, select(odd, even, swap)) ^ (quadrant & sign));
}

/* Box and Muller 1958: two draws, two independent normals. */
static void box_muller(const vulong radius[TOGETHER], const vulong angle[TOGETHER], vdouble z0[TOGETHER],
                       vdouble z1[TOGETHER]) {
  ALL(i) {
    vdouble c, s;
    const vdouble r = sqrt(neg2_log_unit(radius[i]));
    cos_sin(angle[i], &c, &s);
    z0[i] = r * c;
    z1[i] = r * s;
  }
}

/* The inverse normal by Wichura, "Algorithm AS 241", Applied Statistics 37 (1988), PPND16: three rational functions,
 * each numerator and denominator by Horner's rule in fma. Core: |x| <= 0.85. */
#define CORE_LIMIT 0.85

#define RATIONAL(r, n0, n1, n2, n3, n4, n5, n6, n7, d1, d2, d3, d4, d5, d6, d7)                                        \
  (horner7(r, n0, n1, n2, n3, n4, n5, n6, n7) / horner7(r, 1.0, d1, d2, d3, d4, d5, d6, d7))

static vdouble horner7(vdouble r, double c0, double c1, double c2, double c3, double c4, double c5, double c6,
                       double c7) {
  vdouble p = (vdouble)(c7);
  p = fma(p, r, (vdouble)(c6));
  p = fma(p, r, (vdouble)(c5));
  p = fma(p, r, (vdouble)(c4));
  p = fma(p, r, (vdouble)(c3));
  p = fma(p, r, (vdouble)(c2));
  p = fma(p, r, (vdouble)(c1));
  return fma(p, r, (vdouble)(c0));
}

/* z with P(|Z| <= |z|) = |x|, the sign of x, for |x| <= CORE_LIMIT. */
static vdouble core(vdouble x) {
  const vdouble q = x * 0.5;
  const vdouble r = fma(-q, q, (vdouble)(0.180625));
  return q * RATIONAL(r, 3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
                      1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                      3.3430575583588128105e+4, 2.5090809287301226727e+3, 4.2313330701600911252e+1,
                      6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
                      3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3);
}

/* z > 38 with s = -2 ln P(Z > z): the asymptotic series of the tail solved for z^2, by four
 * fixed-point steps that each gain three digits and more. */
static vdouble inverse_far(vdouble s) {
  vdouble v = s - neg2_log(s * 0x1.921fb54442d18p+2) * -0.5;
  for (int step = 0; step < 4; ++step) {
    const vdouble y = 1.0 / v;
    vdouble m = (vdouble)(-4081.0 / 5.0);
    m = fma(m, y, (vdouble)(353.0 / 4.0));
    m = fma(m, y, (vdouble)(-37.0 / 3.0));
    m = fma(m, y, (vdouble)(5.0 / 2.0));
    m = fma(m, y, (vdouble)(-1.0));
    v = fma(2.0 * y, m, fma(neg2_log(v * 0x1.921fb54442d18p+2), (vdouble)(0.5), s));
  }
  return sqrt(v);
}

/* z > 0 with s = -2 ln P(Z > z), P(Z > z) <= 0.075. */
static vdouble inverse_tail(vdouble s) {
  const vdouble r = sqrt(s * 0.5);
  const vdouble near = RATIONAL(r - 1.6, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                                3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4, 2.05319162663775882187e0,
                                1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
                                1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9);
  const vdouble middle = RATIONAL(r - 5.0, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                                  2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7, 5.99832206555887937690e-1,
                                  1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
                                  1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15);
  const vdouble z = select(middle, near, MASK(r <= 5.0));
  return select(inverse_far(s), z, MASK(r <= 27.0));
}

/* These two as in math.cl. */
static void inverse_core(const vdouble x[TOGETHER], vdouble z[TOGETHER]) {
  ALL(i) z[i] = core(x[i]);
}

static void inverse(const vdouble x[TOGETHER], const vulong draw[TOGETHER], double width, double low, double high,
                    double s_reference, vdouble z[TOGETHER]) {
  ALL(i) {
    const vlong above = MASK(x[i] > 0.0);
    const vulong rank = draw[i] ^ select((vulong)(0x8000000000000000ul), (vulong)(0x7ffffffffffffffful), above);
    const vdouble t = fma((vdouble)(width), positive_unit(rank), select((vdouble)(low), (vdouble)(high), above));
    const vdouble tail = copysign(inverse_tail((vdouble)(s_reference) + neg2_log(t)), x[i]);
    z[i] = select(tail, core(x[i]), MASK(fabs(x[i]) <= CORE_LIMIT));
  }
}

#endif
