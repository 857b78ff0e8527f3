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
#define __launch_bounds__(threads)

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

static void __syncthreads();

#include "../reformat.cu"
#include "../reformat_wide.cu"

using Kernel = void (*)(const u8*, u8*, const Work);

static Kernel running;
static const u8* source;
static u8* target;
static const Work* work;
static bool stops_at_barrier;
static std::jmp_buf barrier;

static void __syncthreads() {
    if (stops_at_barrier) {
        std::longjmp(barrier, 1);
    }
}

static void run_threads() {
    for (unsigned thread = 0; thread < THREADS; thread++) {
        threadIdx.x = thread;
        if (setjmp(barrier) == 0) {
            running(source, target, *work);
        }
    }
}

static void must(bool works) {
    if (!works) {
        std::fprintf(stderr, "the emulator was given something that it doesn't understand\n");
        std::exit(1);
    }
}

static void fill(void* memory, size_t bytes) {
    must(std::fread(memory, 1, bytes, stdin) == bytes);
}

int main() {
    const Kernel kernels[] = {reformat_flat,  reformat_any,        reformat_any_wide,
                              reformat_tiles, reformat_tiles_wide, reformat_several_tiles};
    struct {
        u64 kernel, blocks, source_bytes, target_bytes, shift;
    } launch;
    Work given;
    while (std::fread(&launch, sizeof launch, 1, stdin) == 1) {
        must(launch.kernel < 6);
        fill(&given, sizeof given);
        // Of exactly the size, so that tools see what lies beyond. Both are at a multiple of 16, and `shift` bytes.
        u8* read = new (std::align_val_t(16)) u8[launch.source_bytes + launch.shift];
        u8* written = new (std::align_val_t(16)) u8[launch.target_bytes + launch.shift];
        fill(read + launch.shift, launch.source_bytes);
        fill(written + launch.shift, launch.target_bytes);
        running = kernels[launch.kernel];
        source = read + launch.shift;
        target = written + launch.shift;
        work = &given;
        for (blockIdx.x = 0; blockIdx.x < launch.blocks; blockIdx.x++) {
            bool has_barrier = launch.kernel >= 3;
            for (bool stops : {true, false}) {
                stops_at_barrier = stops;
                if (has_barrier || !stops) {
                    run_threads();
                }
            }
        }
        std::fwrite(written + launch.shift, 1, launch.target_bytes, stdout);
        std::fflush(stdout);
        operator delete[](read, std::align_val_t(16));
        operator delete[](written, std::align_val_t(16));
    }
}
