// The default loop (K categories, three states) by hand, W users side by side: what the machine can do with the loop alone.
// g++ -O3 -march=native -ffast-math -DK=4 -DW=16 -DUSERS=100000 -DSTEPS=1000 roofline.cpp   (W=8 for 256-bit vectors)
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>
#ifndef K
#define K 4
#endif
#ifndef W
#define W 8
#endif
#ifndef USERS
#define USERS 65536
#endif
#ifndef STEPS
#define STEPS 1000
#endif
constexpr int S = 3;
constexpr size_t N = (USERS + W - 1) / W * W;
typedef float v __attribute__((vector_size(W * 4)));
typedef int32_t vi __attribute__((vector_size(W * 4)));
typedef uint32_t vu __attribute__((vector_size(W * 4)));

static inline v all(float x) { return x - v{}; }
static inline v pick(vi mask, v a, v b) { return mask ? a : b; }
static inline v larger(v a, v b) { return a > b ? a : b; }
static inline v smaller(v a, v b) { return a < b ? a : b; }
static inline v lower(v x) { for (int l = 0; l < W; l++) x[l] = __builtin_floorf(x[l]); return x; }
static inline v root(v x) { for (int l = 0; l < W; l++) x[l] = __builtin_sqrtf(x[l]); return x; }
static inline v as_float(vi x) { v y; memcpy(&y, &x, sizeof y); return y; }
static inline vi as_int(v x) { vi y; memcpy(&y, &x, sizeof y); return y; }
static inline v uniform(vu word) { return __builtin_convertvector((vi)(word >> 8), v) * (1.0f / 16777216.0f); }
static inline vu turn(vu x, int k) { return (x << k) | (x >> (32 - k)); }
template <class T> static inline void load(T &x, const void *from) { memcpy(&x, from, sizeof x); }

static inline v exp_(v x) {
  x = larger(x * 1.44269504f, all(-126.0f));
  v whole = lower(x), r = x - whole;
  v p = ((((r * 1.8775767e-3f + 8.9893397e-3f) * r + 5.5826318e-2f) * r + 2.4015361e-1f) * r + 6.9315308e-1f) * r + 1.0f;
  return p * as_float((__builtin_convertvector(whole, vi) + 127) << 23);
}

static inline v log2_(v x) {
  vi word = as_int(x);
  v m = as_float((word & 0x7fffff) | 0x3f800000);
  v p = (((((m * -0.02825f + 0.2698f) * m - 1.0928f) * m + 2.5028f) * m - 3.2856f) * m + 2.8346f) * m - 1.2f;
  return p + __builtin_convertvector((vi)((vu)word >> 23) - 127, v);
}

static inline v cos_turns(v x) {  // of 2 pi x
  v y = x - 0.5f, z = y * y;
  return -(((((z * -21.0f + 58.0f) * z - 85.2f) * z + 64.93f) * z - 19.739f) * z + 1.0f);
}

struct Users {
  std::vector<float> logits, mean, std, baseline, state, served;
  std::vector<uint32_t> luck;
  Users() : logits(S * K * N), mean(S * K * N), std(S * K * N, 0.3f), baseline(N), state(N), served(K * N), luck(4 * N) {
    uint32_t x = 1;
    for (auto &word : luck) word = x = x * 1664525u + 1013904223u;
    for (auto &m : mean) m = (x = x * 1664525u + 1013904223u) / 4294967296.0f;
  }
};

static void run(Users &users, int steps, float rate) {
  for (size_t b = 0; b < N; b += W) {
    v logits[S][K], mean[S][K], std[S][K], served[K], baseline, state;
    vu r0, r1, r2, r3;
    for (int s = 0; s < S; s++)
      for (int k = 0; k < K; k++) {
        size_t at = (s * K + k) * N + b;
        load(logits[s][k], &users.logits[at]), load(mean[s][k], &users.mean[at]), load(std[s][k], &users.std[at]);
      }
    uint32_t *luck = users.luck.data() + b;
    load(r0, luck), load(r1, luck + N), load(r2, luck + 2 * N), load(r3, luck + 3 * N);
    load(baseline, &users.baseline[b]), load(state, &users.state[b]);
    for (auto &count : served) count = all(0);
    for (int t = 0; t < steps; t++) {
      vu word[4];  // xoshiro128++
      for (auto &w : word) {
        w = turn(r0 + r3, 7) + r0;
        vu tt = r1 << 9;
        r2 ^= r0, r3 ^= r1, r1 ^= r2, r0 ^= r3, r2 ^= tt, r3 = turn(r3, 11);
      }
      vi calm = state < 0.5f, hooked = state > 1.5f, engaged = ~(calm | hooked), above[K + 1], chosen[K];
      v weight[K], sum = all(0), m = all(0), sd = all(0);
      for (int k = 0; k < K; k++)
        sum += weight[k] = exp_(pick(calm, logits[0][k], pick(hooked, logits[2][k], logits[1][k])));
      v inverse = 1.0f / sum, u = uniform(word[0]) * sum, cumulated = weight[0];
      above[0] = vi{} - 1, above[K] = vi{};
      for (int k = 1; k < K; k++) above[k] = u >= cumulated, cumulated += weight[k];
      for (int k = 0; k < K; k++) {
        chosen[k] = above[k] & ~above[k + 1];
        m = pick(chosen[k], pick(calm, mean[0][k], pick(hooked, mean[2][k], mean[1][k])), m);
        sd = pick(chosen[k], pick(calm, std[0][k], pick(hooked, std[2][k], std[1][k])), sd);
      }
      v size = root(larger(log2_(uniform(word[1]) + 6e-8f) * -1.3862944f, all(0)));
      v reaction = sd * size * cos_turns(uniform(word[2])) + m;
      v gain = reaction - baseline, push = gain * rate, pull = push * inverse;
      baseline += gain * (1.0f / (t + 1));
      for (int k = 0; k < K; k++) {
        v change = pick(chosen[k], push, all(0)) - pull * weight[k];
        served[k] += pick(chosen[k], all(1), all(0));
        logits[0][k] += pick(calm, change, all(0));
        logits[1][k] += pick(engaged, change, all(0));
        logits[2][k] += pick(hooked, change, all(0));
      }
      v climb = 1.0f / (1.0f + exp_((reaction - 0.5f) * -4.0f)), u3 = uniform(word[3]);
      v move = pick(u3 < climb, all(1), all(0)) - pick(u3 > climb * 0.5f + 0.5f, all(1), all(0));
      state = smaller(larger(state + move, all(0)), all(2));
    }
    for (int s = 0; s < S; s++)
      for (int k = 0; k < K; k++) memcpy(&users.logits[(s * K + k) * N + b], &logits[s][k], sizeof(v));
    for (int k = 0; k < K; k++) memcpy(&users.served[k * N + b], &served[k], sizeof(v));
    memcpy(&users.baseline[b], &baseline, sizeof(v)), memcpy(&users.state[b], &state, sizeof(v));
  }
}

int main() {
  Users users;
  run(users, 8, 0.1f);
  for (int repeat = 0; repeat < 3; repeat++) {
    timespec began, ended;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
    run(users, STEPS, 0.1f);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    double seconds = ended.tv_sec - began.tv_sec + 1e-9 * (ended.tv_nsec - began.tv_nsec), sum = 0;
    for (float mean : users.baseline) sum += mean;
    printf("%.3f ns per user-step, mean reaction %.3f\n", seconds / N / STEPS * 1e9, sum / N);
  }
}
