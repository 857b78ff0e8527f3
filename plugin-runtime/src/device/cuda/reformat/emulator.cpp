// Runs the kernels on a CPU, block after block and thread after thread. Where there is a barrier, all threads run to it
// first and then again, past it: what they do before it can be done twice. Reads launches from its input and answers
// each with the bytes of the target.

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>

#define __device__
#define __global__
#define __shared__ static
#define __grid_constant__
#define __launch_bounds__(...)

struct Index {
    unsigned x;
};

static Index blockIdx, threadIdx;

static unsigned __float_as_uint(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float __uint_as_float(unsigned bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

static unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
    unsigned long long bytes = low | (unsigned long long)high << 32;
    unsigned result = 0;
    for (unsigned byte = 0; byte < 4; byte++) {
        result |= (unsigned)(bytes >> 8 * (selector >> 4 * byte & 7) & 0xFF) << 8 * byte;
    }
    return result;
}

static void __syncthreads();
static void __syncwarp() { __syncthreads(); }

#include "../reformat_any.cu"
#include "../reformat_cast_1.cu"
#include "../reformat_cast_2.cu"
#include "../reformat_cast_4.cu"
#include "../reformat_crossed.cu"
#include "../reformat_eights.cu"
#include "../reformat_flat.cu"
#include "../reformat_short.cu"
#include "../reformat_short_tiles.cu"
#include "../reformat_tiles.cu"
#include "../reformat_transpose.cu"
#include "../reformat_wide.cu"

template <typename Work>
using Kernel = void (*)(const u8*, u8*, const Work);

static const u8* source;
static u8* target;
static bool stops_at_barrier;
static std::jmp_buf barrier;

static void __syncthreads() {
    if (stops_at_barrier) {
        std::longjmp(barrier, 1);
    }
}

template <typename Work>
static void run_threads(Kernel<Work> kernel, const Work& work) {
    for (unsigned thread = 0; thread < THREADS; thread++) {
        threadIdx.x = thread;
        if (setjmp(barrier) == 0) {
            kernel(source, target, work);
        }
    }
}

template <typename Work>
static void run_blocks(Kernel<Work> kernel, const Work& work, u64 blocks, bool has_barrier) {
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) {
        for (bool stops : {true, false}) {
            stops_at_barrier = stops;
            if (has_barrier || !stops) {
                run_threads(kernel, work);
            }
        }
    }
}

static void must(bool works) {
    if (!works) {
        std::fprintf(stderr, "the emulator was given something that it doesn't understand\n");
        std::exit(1);
    }
}

static void read_input(void* memory, size_t bytes) {
    must(std::fread(memory, 1, bytes, stdin) == bytes);
}

int main() {
    const Kernel<Work> kernels[] = {reformat_flat,       reformat_any,        reformat_any_wide,      reformat_flat_small,
                                    reformat_tiles,      reformat_tiles_wide, reformat_several_tiles, reformat_short_16_8,
                                    reformat_short_16_4, reformat_short_8_16, reformat_short_8_4,     reformat_short_4_16,
                                    reformat_short_4_8};
    const Kernel<Transposition> transposing[] = {reformat_transpose_1,      reformat_transpose_2,      reformat_transpose_4,
                                                 reformat_short_tiles_16_8, reformat_short_tiles_16_4, reformat_short_tiles_8_16,
                                                 reformat_short_tiles_8_4,  reformat_short_tiles_4_16, reformat_short_tiles_4_8};
    const Kernel<CastTransposition> casting[] = {reformat_cast_1_1, reformat_cast_1_2, reformat_cast_1_4,
                                                 reformat_cast_2_1, reformat_cast_2_2, reformat_cast_2_4,
                                                 reformat_cast_4_1, reformat_cast_4_2, reformat_cast_4_4};
    const Kernel<Crossing> crossing[] = {reformat_crossed_1, reformat_crossed_2, reformat_crossed_4};
    const Kernel<Eights> turning[] = {reformat_eights_8_4, reformat_eights_4_8};
    constexpr u64 KERNELS = 13, FIRST_WITH_BARRIER = 4, LAST_WITH_BARRIER = 6;
    constexpr u64 TRANSPOSING = 9, CASTING = 9, CROSSING = 3, TURNING = 2;
    enum Kind : u64 { WORK, TRANSPOSE, CAST, CROSS, TURN };
    struct {
        u64 kind, kernel, blocks, source_bytes, target_bytes, shift;
    } launch;
    Work work;
    Transposition transposition;
    CastTransposition cast;
    Crossing crossed;
    Eights turned;
    while (std::fread(&launch, sizeof launch, 1, stdin) == 1) {
        switch (launch.kind) {
        case WORK: must(launch.kernel < KERNELS), read_input(&work, sizeof work); break;
        case TRANSPOSE: must(launch.kernel < TRANSPOSING), read_input(&transposition, sizeof transposition); break;
        case CAST: must(launch.kernel < CASTING), read_input(&cast, sizeof cast); break;
        case CROSS: must(launch.kernel < CROSSING), read_input(&crossed, sizeof crossed); break;
        default: must(launch.kind == TURN && launch.kernel < TURNING), read_input(&turned, sizeof turned);
        }
        // Of exactly the size, so that tools see what lies beyond. Both are at a multiple of 16, and `shift` bytes.
        u8* read = new (std::align_val_t(16)) u8[launch.source_bytes + launch.shift];
        u8* written = new (std::align_val_t(16)) u8[launch.target_bytes + launch.shift];
        read_input(read + launch.shift, launch.source_bytes);
        read_input(written + launch.shift, launch.target_bytes);
        source = read + launch.shift;
        target = written + launch.shift;
        const bool has_barrier = launch.kernel >= FIRST_WITH_BARRIER && launch.kernel <= LAST_WITH_BARRIER;
        switch (launch.kind) {
        case WORK: run_blocks(kernels[launch.kernel], work, launch.blocks, has_barrier); break;
        case TRANSPOSE: run_blocks(transposing[launch.kernel], transposition, launch.blocks, true); break;
        case CAST: run_blocks(casting[launch.kernel], cast, launch.blocks, true); break;
        case CROSS: run_blocks(crossing[launch.kernel], crossed, launch.blocks, false); break;
        default: run_blocks(turning[launch.kernel], turned, launch.blocks, true);
        }
        std::fwrite(written + launch.shift, 1, launch.target_bytes, stdout);
        std::fflush(stdout);
        operator delete[](read, std::align_val_t(16));
        operator delete[](written, std::align_val_t(16));
    }
}
