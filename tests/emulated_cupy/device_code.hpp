// What device code finds on a GPU, for a C++ compiler on a CPU: CUDA's qualifiers, types and functions, CuPy's arrays.
// The emulator runs the threads of a grid one after the other, so the variables here need no locks.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <bit>
#include <type_traits>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static __attribute__((section("emulated_shared")))
#define __forceinline__ inline
#define __launch_bounds__(...)

struct uint3 { unsigned int x, y, z; };
struct dim3 { unsigned int x = 1, y = 1, z = 1; };
static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static const int warpSize = 32;

#define VECTORS(T, name) \
    struct alignas(2 * sizeof(T)) name##2 { T x, y; }; struct name##3 { T x, y, z; }; \
    struct alignas(sizeof(T) < 8 ? 4 * sizeof(T) : 16) name##4 { T x, y, z, w; }; \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VECTORS(float, float)
VECTORS(double, double)
VECTORS(int, int)

// ---- functions of numbers: max and min choose the number beside a NaN, as on a GPU
template <class A, class B> using Both = std::common_type_t<A, B>;
template <class A, class B> inline Both<A, B> max(A a, B b) {
    if constexpr (std::is_same_v<Both<A, B>, float>) return fmaxf(a, b);
    else if constexpr (std::is_same_v<Both<A, B>, double>) return fmax((double)a, (double)b);
    else { Both<A, B> x = a, y = b; return x < y ? y : x; }
}
template <class A, class B> inline Both<A, B> min(A a, B b) {
    if constexpr (std::is_same_v<Both<A, B>, float>) return fminf(a, b);
    else if constexpr (std::is_same_v<Both<A, B>, double>) return fmin((double)a, (double)b);
    else { Both<A, B> x = a, y = b; return y < x ? y : x; }
}
inline float pow(float x, int n) { return powf(x, (float)n); }
inline float rsqrt(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double sinpi(double x) { x = remainder(x, 2.0); return sin(M_PI * x); }
inline double cospi(double x) { x = remainder(x, 2.0); return cos(M_PI * x); }
inline float sinpif(float x) { return (float)sinpi((double)x); }
inline float cospif(float x) { return (float)cospi((double)x); }
inline float sinpi(float x) { return sinpif(x); }
inline float cospi(float x) { return cospif(x); }
inline double normcdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
inline float normcdff(float x) { return (float)normcdf((double)x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return 1 / sqrtf(x); }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __saturatef(float x) { return fminf(fmaxf(x, 0), 1); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned int __float_as_uint(float x) { return std::bit_cast<unsigned int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline int __float2int_rn(float x) { return (int)rintf(x); }
inline int __float2int_rz(float x) { return (int)x; }
inline float __uint2float_rn(unsigned int x) { return (float)x; }
inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned long long)a * b >> 32; }
inline int __mulhi(int a, int b) { return (long long)a * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned __int128)a * b >> 64;
}
inline int __popc(unsigned int x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero((unsigned int)x); }
inline int __ffs(int x) { return x ? std::countr_zero((unsigned int)x) + 1 : 0; }
template <class T> inline T __ldg(const T* p) { return *p; }

// ---- atomics: each returns what was there before
#define ATOMIC(T) \
    inline T atomicAdd(T* p, T x) { T old = *p; *p = old + x; return old; } \
    inline T atomicExch(T* p, T x) { T old = *p; *p = x; return old; }
#define ATOMIC_INTEGER(T) ATOMIC(T) \
    inline T atomicMax(T* p, T x) { T old = *p; *p = old < x ? x : old; return old; } \
    inline T atomicMin(T* p, T x) { T old = *p; *p = x < old ? x : old; return old; } \
    inline T atomicCAS(T* p, T expected, T x) { T old = *p; if (old == expected) *p = x; return old; }
ATOMIC(float)
ATOMIC(double)
ATOMIC_INTEGER(int)
ATOMIC_INTEGER(unsigned int)
ATOMIC_INTEGER(unsigned long long)
inline int atomicSub(int* p, int x) { return atomicAdd(p, -x); }

// ---- CuPy's arrays in an ElementwiseKernel
struct Argument { void* data; ptrdiff_t size, ndim, contiguous, shape[16], strides[16]; };   // as in elementwise.py

struct CIndexer {
    const Argument& loop;
    ptrdiff_t at[16];
    explicit CIndexer(const Argument& a) : loop(a), at{} {}
    ptrdiff_t size() const { return loop.size; }
    void set(ptrdiff_t i) {
        for (ptrdiff_t k = loop.ndim - 1; k >= 0; --k) { at[k] = i % loop.shape[k]; i /= loop.shape[k]; }
    }
    const ptrdiff_t* get() const { return at; }
};

template <class T> struct CArray {
    const Argument& a;
    const ptrdiff_t ndim;
    explicit CArray(const Argument& argument) : a(argument), ndim(argument.ndim) {}
    ptrdiff_t size() const { return a.size; }
    const ptrdiff_t* shape() const { return a.shape; }
    const ptrdiff_t* strides() const { return a.strides; }
    T* begin_ptr() const { return (T*)a.data; }
    T& at(ptrdiff_t bytes) const { return *(T*)((char*)a.data + bytes); }
    template <class I> requires std::is_integral_v<I> T& operator[](I index) const {     // in C order
        if (a.contiguous) return ((T*)a.data)[index];
        ptrdiff_t i = index, bytes = 0;
        for (ptrdiff_t k = a.ndim - 1; k >= 0; --k) { bytes += i % a.shape[k] * a.strides[k]; i /= a.shape[k]; }
        return at(bytes);
    }
    template <class P> requires std::is_pointer_v<std::decay_t<P>> T& operator[](const P& index) const {
        ptrdiff_t bytes = 0;
        for (ptrdiff_t k = 0; k < a.ndim; ++k) bytes += index[k] * a.strides[k];
        return at(bytes);
    }
};

// ---- the threads of a block, as fibers that take turns: each runs until it waits for others or ends
struct Fiber {
    ucontext_t context;
    uint3 thread;
    unsigned int mask;                          // with whom it waits in its warp
    enum { READY, AT_BLOCK, AT_WARP, DONE } state;
};
static std::vector<Fiber> fibers;
static std::vector<std::vector<char>> stacks;
static ucontext_t scheduler;
static unsigned int current;
static unsigned long long exchanged[1024];      // what shuffles hand over, one place for each thread
static void (*body)();

static void pause_at(decltype(Fiber::state) where, unsigned int mask) {
    fibers[current].state = where;
    fibers[current].mask = mask;
    swapcontext(&fibers[current].context, &scheduler);
}
static void run_fiber() { body(); fibers[current].state = Fiber::DONE; }
static inline void __syncthreads() { pause_at(Fiber::AT_BLOCK, 0); }
static inline void __syncwarp(unsigned int mask = 0xffffffffu) { pause_at(Fiber::AT_WARP, mask); }
static inline void __threadfence() {}
static inline void __threadfence_block() {}

static bool release_waiting() {                 // whether any of the waiting threads may go on
    bool any = false, all = true;
    for (Fiber& f : fibers) all = all && (f.state == Fiber::AT_BLOCK || f.state == Fiber::DONE);
    if (all) {
        for (Fiber& f : fibers) if (f.state == Fiber::AT_BLOCK) { f.state = Fiber::READY; any = true; }
        return any;
    }
    std::vector<char> free_to_go(fibers.size(), 0);
    for (size_t i = 0; i < fibers.size(); ++i) {
        bool complete = fibers[i].state == Fiber::AT_WARP;
        for (size_t j = i / 32 * 32; j < fibers.size() && j < (i / 32 + 1) * 32; ++j)
            if (fibers[i].mask >> j % 32 & 1)
                complete = complete && (fibers[j].state == Fiber::DONE ||
                                        (fibers[j].state == Fiber::AT_WARP && fibers[j].mask == fibers[i].mask));
        free_to_go[i] = complete;
    }
    for (size_t i = 0; i < fibers.size(); ++i) if (free_to_go[i]) { fibers[i].state = Fiber::READY; any = true; }
    return any;
}

static bool run_block_of_fibers() {             // false: its threads wait for each other for ever
    const size_t count = (size_t)blockDim.x * blockDim.y * blockDim.z, stack = 128 << 10;
    fibers.assign(count, Fiber());
    while (stacks.size() < count) stacks.emplace_back(stack);
    memset(exchanged, 0xff, sizeof exchanged);
    for (unsigned int i = 0; i < count; ++i) {
        Fiber& f = fibers[i];
        f.thread = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
        f.state = Fiber::READY;
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = stacks[i].data();
        f.context.uc_stack.ss_size = stack;
        f.context.uc_link = &scheduler;
        makecontext(&f.context, run_fiber, 0);
    }
    size_t left = count;
    for (unsigned int turn = blockIdx.x; left; ++turn) {        // forwards, then backwards: a forgotten __syncthreads()
        left = 0;                                               // shows in one of them
        for (size_t k = 0; k < count; ++k) {
            current = turn % 2 ? count - 1 - k : k;
            if (fibers[current].state == Fiber::READY) {
                threadIdx = fibers[current].thread;
                swapcontext(&scheduler, &fibers[current].context);
            }
            left += fibers[current].state != Fiber::DONE;
        }
        if (left && !release_waiting()) return false;
    }
    return true;
}

template <class T> T exchange(unsigned int mask, T value, int source) {     // source: a lane, or -1 for the own value
    static_assert(sizeof(T) <= 8);
    const unsigned int lane = current % 32;
    memcpy(&exchanged[current], &value, sizeof(T));
    pause_at(Fiber::AT_WARP, mask);
    T result;
    memcpy(&result, &exchanged[current - lane + (source < 0 ? lane : source)], sizeof(T));
    pause_at(Fiber::AT_WARP, mask);
    return result;
}
template <class T> T __shfl_sync(unsigned int mask, T v, int from, int width = 32) {
    return exchange(mask, v, (int)(current % 32) / width * width + from % width);
}
template <class T> T __shfl_down_sync(unsigned int mask, T v, unsigned int by, int width = 32) {
    const int lane = current % 32;
    return exchange(mask, v, lane % width + (int)by < width ? lane + (int)by : -1);
}
template <class T> T __shfl_up_sync(unsigned int mask, T v, unsigned int by, int width = 32) {
    const int lane = current % 32;
    return exchange(mask, v, lane % width >= (int)by ? lane - (int)by : -1);
}
template <class T> T __shfl_xor_sync(unsigned int mask, T v, int by, int width = 32) {
    const int lane = current % 32, source = lane ^ by;
    return exchange(mask, v, source / width <= lane / width ? source : -1);
}
inline unsigned int __ballot_sync(unsigned int mask, int condition) {
    unsigned int votes = 0;
    const unsigned int first = current - current % 32;
    exchanged[current] = condition != 0;
    pause_at(Fiber::AT_WARP, mask);
    for (unsigned int i = 0; i < 32; ++i) if (mask >> i & 1) votes |= (unsigned int)(exchanged[first + i] == 1) << i;
    pause_at(Fiber::AT_WARP, mask);
    return votes;
}
inline int __any_sync(unsigned int mask, int condition) { return __ballot_sync(mask, condition) != 0; }
inline int __all_sync(unsigned int mask, int condition) { return __ballot_sync(mask, !condition) == 0; }

// ---- a whole grid: the blocks one after the other. Shared memory is full of ones (NaN) when a block starts
static std::vector<char> shared_memory;         // extern __shared__; all other is in a section of its own
extern char __start_emulated_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emulated_shared[] __attribute__((weak, visibility("hidden")));

static bool run_grid(dim3 grid, dim3 block, size_t shared, bool threads_meet, void (*thread_body)()) {
    gridDim = grid; blockDim = block; body = thread_body;
    for (blockIdx.z = 0; blockIdx.z < grid.z; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
    for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) {
        shared_memory.assign(shared + 64, (char)0xff);
        if (__start_emulated_shared)
            memset(__start_emulated_shared, 0xff, __stop_emulated_shared - __start_emulated_shared);
        if (threads_meet) { if (!run_block_of_fibers()) return false; continue; }
        for (threadIdx.z = 0; threadIdx.z < block.z; ++threadIdx.z)
        for (threadIdx.y = 0; threadIdx.y < block.y; ++threadIdx.y)
        for (threadIdx.x = 0; threadIdx.x < block.x; ++threadIdx.x) body();
    }
    return true;
}
static inline void* aligned_shared_memory() {
    return (void*)(((uintptr_t)shared_memory.data() + 63) / 64 * 64);
}
