// Circular padding, of elements of 2 and of 4 bytes whatever they mean.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

constexpr int MAX_RANK = 8;
constexpr u32 WARP = 32;

// Division by a number that is known beforehand: (high half of n * multiplier, plus n) >> shift, for n below half of what
// the type holds.
template <typename Index>
struct Divisor {
    Index multiplier;
    Index shift;
};

__device__ __forceinline__ u32 divide(u32 n, const Divisor<u32>& by) { return (__umulhi(n, by.multiplier) + n) >> by.shift; }

__device__ __forceinline__ u64 divide(u64 n, const Divisor<u64>& by) { return (__umul64hi(n, by.multiplier) + n) >> by.shift; }

template <typename Index>
struct Axis {
    // Elements of the input and of the output.
    Index extent;
    Index padded;
    // The input's index for the output's index 0.
    Index offset;
    // What one step skips in the input.
    Index stride;
    Divisor<Index> by_extent;
    Divisor<Index> by_padded;
};

// The innermost axis first.
template <typename Index>
struct Plan {
    Index inputs;
    Index outputs;
    // Rows of the output: elements but for the innermost axis.
    Index rows;
    // Elements of a row that a warp writes; a multiple of a vector.
    Index segment;
    Index rank;
    Axis<Index> axes[MAX_RANK];
};

template <typename Index>
__device__ __forceinline__ Index wrapped(Index index, const Axis<Index>& axis) {
    index += axis.offset;
    return index - divide(index, axis.by_extent) * axis.extent;
}

// The input's element that output row `row` starts from, as if it weren't padded.
template <typename Index>
__device__ __forceinline__ Index source_of_row(const Plan<Index>& plan, Index row) {
    Index source = 0;
#pragma unroll
    for (int i = 1; i < MAX_RANK; ++i) {
        if (i >= plan.rank) break;
        const Axis<Index>& axis = plan.axes[i];
        const Index next = divide(row, axis.by_padded);
        source += wrapped(row - next * axis.padded, axis) * axis.stride;
        row = next;
    }
    return source;
}

// An element a thread at a time.
template <typename T, typename Index>
__device__ __forceinline__ void pad_elements(const T* x, T* out, const Plan<Index>& plan) {
    const u64 step = static_cast<u64>(gridDim.x) * blockDim.x;
    for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < plan.outputs; i += step) {
        const Index element = static_cast<Index>(i);
        const Index row = divide(element, plan.axes[0].by_padded);
        const Index column = element - row * plan.axes[0].padded;
        out[i] = x[source_of_row(plan, row) + wrapped(column, plan.axes[0])];
    }
}

// 16 bytes of the 32 of `low` and `high`, from byte `shift` on, which is a multiple of the element's size.
template <typename T>
__device__ __forceinline__ uint4 funnel(uint4 low, uint4 high, u32 shift) {
    u32 w[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    if (shift & 8) {
#pragma unroll
        for (int i = 0; i < 6; ++i) w[i] = w[i + 2];
    }
    if (shift & 4) {
#pragma unroll
        for (int i = 0; i < 5; ++i) w[i] = w[i + 1];
    }
    if constexpr (sizeof(T) == 2) {
        const u32 bits = (shift & 2) * 8;
#pragma unroll
        for (int i = 0; i < 4; ++i) w[i] = __funnelshift_r(w[i], w[i + 1], bits);
    }
    return make_uint4(w[0], w[1], w[2], w[3]);
}

// A block's share of a row that the blocks of a column of the grid share.
template <typename Index>
struct Part {
    Index begin;
    Index end;

    __device__ __forceinline__ Part(Index whole, Index segment) {
        begin = segment * blockIdx.y;
        begin = begin < whole ? begin : whole;
        end = whole - begin < segment ? whole : begin + segment;
    }
};

// Elements that a lane has on their way together.
constexpr u32 IN_FLIGHT = 8;

// A warp a row of the output, an element a lane at a time. Long rows are shared by the blocks of a column of the grid.
template <typename T, typename Index>
__device__ __forceinline__ void pad_rows(const T* x, T* out, const Plan<Index>& plan) {
    const u64 row = static_cast<u64>(blockIdx.x) * (blockDim.x / WARP) + threadIdx.x / WARP;
    if (row >= plan.rows) return;
    const Axis<Index> inner = plan.axes[0];
    const Part<Index> part(inner.padded, plan.segment);
    const T* from = x + source_of_row(plan, static_cast<Index>(row));
    T* to = out + row * inner.padded;
    Index column = part.begin + threadIdx.x % WARP;
    for (; column + (IN_FLIGHT - 1) * WARP < part.end; column += IN_FLIGHT * WARP) {
        T values[IN_FLIGHT];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) values[i] = from[wrapped<Index>(column + i * WARP, inner)];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) to[column + i * WARP] = values[i];
    }
    for (; column < part.end; column += WARP) to[column] = from[wrapped(column, inner)];
}

// What is before and behind the vectors of a row, element by element. The first one of a lane is read when this is made, to
// be written when all else is on its way.
template <u32 LANES, typename T, typename Index>
struct Edges {
    const T* from;
    T* to;
    const Axis<Index>& axis;
    // Where the vectors begin, and elements that they hold.
    Index lead;
    Index run;
    T first;

    __device__ __forceinline__ Edges(const T* from, T* to, const Axis<Index>& axis, Index lead, Index run)
        : from(from), to(to), axis(axis), lead(lead), run(run) {
        const Index i = index();
        if (i < axis.padded - run) first = value(i);
    }

    __device__ __forceinline__ Index index() const { return blockIdx.y * LANES + threadIdx.x % LANES; }

    __device__ __forceinline__ Index column(Index i) const { return i < lead ? i : i + run; }

    __device__ __forceinline__ T value(Index i) const { return from[wrapped(column(i), axis)]; }

    __device__ __forceinline__ void write() const {
        Index i = index();
        if (i < axis.padded - run) to[column(i)] = first;
        for (i += gridDim.y * LANES; i < axis.padded - run; i += gridDim.y * LANES) to[column(i)] = value(i);
    }
};

// LANES neighbouring threads a row of the output, a vector of 16 bytes a lane at a time, VECTORS of them on their way
// together. A row is some wrapped elements, one run of the input's row as it is, and wrapped elements again. The run is
// written as vectors at multiples of 16 bytes, each cut out of the one or two of the input that it lies in.
template <u32 LANES, u32 VECTORS, typename T, typename Index>
__device__ __forceinline__ void pad_vectors(const T* x, T* out, const Plan<Index>& plan) {
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const u64 row = static_cast<u64>(blockIdx.x) * (blockDim.x / LANES) + threadIdx.x / LANES;
    if (row >= plan.rows) return;
    const Axis<Index>& axis = plan.axes[0];
    const T* from = x + source_of_row(plan, static_cast<Index>(row));
    T* to = out + row * axis.padded;

    // Columns before the run, then before its first element at a multiple of 16 bytes.
    Index lead = axis.offset != 0 ? axis.extent - axis.offset : 0;
    const u32 head = (0 - static_cast<u32>(reinterpret_cast<u64>(to + lead))) % 16 / sizeof(T);
    Index vectors = axis.extent >= head ? (axis.extent - head) / PER_VECTOR : 0;
    const u64 source = reinterpret_cast<u64>(from + head);
    const u32 shift = static_cast<u32>(source % 16);
    const uint4* granules = reinterpret_cast<const uint4*>(source - shift);
    // Nothing beyond the input is read, not even within 16 bytes.
    const bool inside = reinterpret_cast<const T*>(granules) >= x &&
                        reinterpret_cast<const T*>(granules + vectors + (shift != 0)) <= x + plan.inputs;
    if (!inside) vectors = 0;
    lead += head;

    const Edges<LANES, T, Index> edges(from, to, axis, lead, vectors * PER_VECTOR);
    const Part<Index> part(vectors, plan.segment / PER_VECTOR);
    const u32 lane = threadIdx.x % LANES;
    granules += part.begin + lane;
    uint4* target = reinterpret_cast<uint4*>(to + lead) + part.begin + lane;
    for (Index done = part.begin; done < part.end; done += VECTORS * LANES) {
        const Index left = part.end - done;
        uint4 low[VECTORS], high[VECTORS];
#pragma unroll
        for (u32 i = 0; i < VECTORS; ++i) {
            if (i * LANES + lane < left) {
                low[i] = __ldg(granules + i * LANES);
                if (shift != 0) high[i] = __ldg(granules + i * LANES + 1);
            }
        }
#pragma unroll
        for (u32 i = 0; i < VECTORS; ++i) {
            if (i * LANES + lane < left) target[i * LANES] = funnel<T>(low[i], high[i], shift);
        }
        granules += VECTORS * LANES;
        target += VECTORS * LANES;
    }
    edges.write();
}

// Whole rows of the output, put together in shared memory and written from there as vectors, so that it doesn't matter where in
// a vector a row begins. A thread has a column of its own; `segment` is the number of rows of a block.
constexpr u32 ROWS_IN_FLIGHT = 8;

template <typename T>
__device__ __forceinline__ void pad_tiles(const T* x, T* out, const Plan<u32>& plan) {
    extern __shared__ uint4 shared[];
    const Axis<u32> inner = plan.axes[0];
    const u32 first = blockIdx.x * plan.segment;
    const u32 rows = plan.rows - first < plan.segment ? plan.rows - first : plan.segment;
    T* const to = out + static_cast<u64>(first) * inner.padded;

    // Where each row comes from, then the rows, at the same place within 16 bytes as in the output.
    u32* const sources = reinterpret_cast<u32*>(shared);
    T* const tile = reinterpret_cast<T*>(shared + (plan.segment + 3) / 4) + reinterpret_cast<u64>(to) % 16 / sizeof(T);
    for (u32 row = threadIdx.x; row < rows; row += blockDim.x) sources[row] = source_of_row(plan, first + row);
    __syncthreads();

    const u32 own = divide(threadIdx.x, inner.by_padded);
    const u32 together = divide(blockDim.x, inner.by_padded);
    if (own < together) {
        const u32 column = threadIdx.x - own * inner.padded;
        const T* const from = x + wrapped(column, inner);
        T* place = tile + threadIdx.x;
        const u32 step = together * inner.padded;
        u32 row = own;
        for (; row + (ROWS_IN_FLIGHT - 1) * together < rows; row += ROWS_IN_FLIGHT * together) {
            T values[ROWS_IN_FLIGHT];
#pragma unroll
            for (u32 i = 0; i < ROWS_IN_FLIGHT; ++i) values[i] = __ldg(from + sources[row + i * together]);
#pragma unroll
            for (u32 i = 0; i < ROWS_IN_FLIGHT; ++i) place[i * step] = values[i];
            place += ROWS_IN_FLIGHT * step;
        }
        for (; row < rows; row += together, place += step) *place = __ldg(from + sources[row]);
    }
    __syncthreads();

    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const u32 count = rows * inner.padded;
    const u32 before = (0 - static_cast<u32>(reinterpret_cast<u64>(to))) % 16 / sizeof(T);
    const u32 head = before < count ? before : count;
    const u32 vectors = (count - head) / PER_VECTOR;
    const uint4* const staged = reinterpret_cast<const uint4*>(tile + head);
    uint4* const target = reinterpret_cast<uint4*>(to + head);
#pragma unroll 4
    for (u32 i = threadIdx.x; i < vectors; i += blockDim.x) target[i] = staged[i];
    const u32 tail = head + vectors * PER_VECTOR + threadIdx.x;
    if (threadIdx.x < head) to[threadIdx.x] = tile[threadIdx.x];
    if (tail < count) to[tail] = tile[tail];
}

// A vector of the output, element by element, from column `column` of `row` on.
template <typename T>
__device__ __forceinline__ uint4 gathered(const T* x, const Plan<u32>& plan, u32 row, u32 column) {
    const Axis<u32>& inner = plan.axes[0];
    u32 w[4] = {};
    const T* from = x + source_of_row(plan, row);
    u32 source = wrapped(column, inner);
#pragma unroll 1
    for (u32 i = 0; i < 16 / sizeof(T); ++i) {
        const u32 value = __ldg(from + source);
        constexpr u32 BITS = sizeof(T) == 2 ? 16 : 32;
        w[0] = __funnelshift_rc(w[0], w[1], BITS);
        w[1] = __funnelshift_rc(w[1], w[2], BITS);
        w[2] = __funnelshift_rc(w[2], w[3], BITS);
        w[3] = __funnelshift_rc(w[3], value, BITS);
        source = source + 1 == inner.extent ? 0 : source + 1;
        if (++column == inner.padded && row + 1 < plan.rows) {
            from = x + source_of_row(plan, ++row);
            column = 0;
            source = inner.offset;
        }
    }
    return make_uint4(w[0], w[1], w[2], w[3]);
}

// The output as one stream of vectors, whatever rows they are in: for rows so long that few vectors hold an edge. Each is cut
// out of the one or two of the input that it lies in.
template <u32 VECTORS, typename T>
__device__ __forceinline__ void pad_stream(const T* x, T* out, const Plan<u32>& plan) {
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const Axis<u32>& inner = plan.axes[0];
    const u32 before = (0 - static_cast<u32>(reinterpret_cast<u64>(out))) % 16 / sizeof(T);
    const u32 head = before < plan.outputs ? before : plan.outputs;
    const u32 vectors = (plan.outputs - head) / PER_VECTOR;
    const u32 first = blockIdx.x * (blockDim.x * VECTORS) + threadIdx.x;
    uint4 low[VECTORS], high[VECTORS];
    u32 shifts[VECTORS];
#pragma unroll
    for (u32 i = 0; i < VECTORS; ++i) {
        const u32 vector = first + i * blockDim.x;
        if (vector >= vectors) continue;
        const u32 element = head + vector * PER_VECTOR;
        const u32 row = divide(element, inner.by_padded);
        const u32 column = element - row * inner.padded;
        const u32 source = wrapped(column, inner);
        const T* const from = x + source_of_row(plan, row) + source;
        shifts[i] = static_cast<u32>(reinterpret_cast<u64>(from) % 16);
        const uint4* const granules = reinterpret_cast<const uint4*>(reinterpret_cast<u64>(from) - shifts[i]);
        const bool whole = column + PER_VECTOR <= inner.padded && source + PER_VECTOR <= inner.extent &&
                           reinterpret_cast<const T*>(granules) >= x &&
                           reinterpret_cast<const T*>(granules + 1 + (shifts[i] != 0)) <= x + plan.inputs;
        if (whole) {
            low[i] = __ldg(granules);
            if (shifts[i] != 0) high[i] = __ldg(granules + 1);
        } else {
            low[i] = gathered(x, plan, row, column);
            shifts[i] = 0;
        }
    }
    uint4* const target = reinterpret_cast<uint4*>(out + head);
#pragma unroll
    for (u32 i = 0; i < VECTORS; ++i) {
        const u32 vector = first + i * blockDim.x;
        if (vector < vectors) target[vector] = funnel<T>(low[i], high[i], shifts[i]);
    }
    // What is before the first vector and behind the last.
    const u32 lone = threadIdx.x < head ? threadIdx.x : threadIdx.x + vectors * PER_VECTOR;
    if (blockIdx.x == 0 && lone < plan.outputs) {
        const u32 row = divide(lone, inner.by_padded);
        out[lone] = x[source_of_row(plan, row) + wrapped(lone - row * inner.padded, inner)];
    }
}

#define CIRC_PAD_FLAT(NAME, T)                                                                                       \
    extern "C" __global__ void __launch_bounds__(512)                                                                \
        circ_pad_tiles_##NAME(const T* x, T* out, const __grid_constant__ Plan<u32> plan) {                          \
        pad_tiles(x, out, plan);                                                                                     \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(256)                                                                \
        circ_pad_stream_##NAME(const T* x, T* out, const __grid_constant__ Plan<u32> plan) {                         \
        pad_stream<2>(x, out, plan);                                                                                 \
    }

CIRC_PAD_FLAT(4x32, u32)
CIRC_PAD_FLAT(2x32, u16)

#define CIRC_PAD(NAME, T, INDEX, ROW_BLOCKS)                                                                         \
    extern "C" __global__ void __launch_bounds__(1024)                                                               \
        circ_pad_elements_##NAME(const T* x, T* out, const __grid_constant__ Plan<INDEX> plan) {                     \
        pad_elements(x, out, plan);                                                                                  \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(256, ROW_BLOCKS)                                                    \
        circ_pad_rows_##NAME(const T* x, T* out, const __grid_constant__ Plan<INDEX> plan) {                         \
        pad_rows(x, out, plan);                                                                                      \
    }

CIRC_PAD(4x32, u32, u32, 8)
CIRC_PAD(2x32, u16, u32, 8)
CIRC_PAD(4x64, u32, u64, 1)
CIRC_PAD(2x64, u16, u64, 1)

#define CIRC_PAD_VECTORS(NAME, T, INDEX, LANES, VECTORS)                                                             \
    extern "C" __global__ void __launch_bounds__(256)                                                                \
        circ_pad_vectors_##NAME(const T* x, T* out, const __grid_constant__ Plan<INDEX> plan) {                      \
        pad_vectors<LANES, VECTORS>(x, out, plan);                                                                   \
    }

CIRC_PAD_VECTORS(4x32_16, u32, u32, 16, 2)
CIRC_PAD_VECTORS(4x32_32, u32, u32, 32, 2)
CIRC_PAD_VECTORS(4x32_long, u32, u32, 32, 4)
CIRC_PAD_VECTORS(2x32_16, u16, u32, 16, 2)
CIRC_PAD_VECTORS(2x32_32, u16, u32, 32, 2)
CIRC_PAD_VECTORS(2x32_long, u16, u32, 32, 4)
CIRC_PAD_VECTORS(4x64_long, u32, u64, 32, 4)
CIRC_PAD_VECTORS(2x64_long, u16, u64, 32, 4)

// Pads around a tensor whose extents only the device knows.
struct Pads {
    u32 rank;
    u32 before[MAX_RANK];
    u32 after[MAX_RANK];
};

// Any extents, an element a thread. `elements` is the most that there can be in the output.
template <typename T>
__device__ __forceinline__ void pad_settled(const T* x, T* out, u64 elements, const long long* extents, const Pads& pads) {
    u64 outputs = 1;
    for (u32 i = 0; i < pads.rank; ++i) outputs *= static_cast<u64>(extents[i]) + pads.before[i] + pads.after[i];
    // There is nothing to put around an empty tensor.
    for (u32 i = 0; i < pads.rank; ++i) outputs = extents[i] > 0 ? outputs : 0;
    outputs = outputs < elements ? outputs : elements;
    const u64 step = static_cast<u64>(gridDim.x) * blockDim.x;
    for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < outputs; i += step) {
        u64 rest = i, source = 0, stride = 1;
        for (u32 axis = pads.rank; axis-- > 0;) {
            const u64 extent = static_cast<u64>(extents[axis]);
            const u64 padded = extent + pads.before[axis] + pads.after[axis];
            source += (rest % padded + extent - pads.before[axis] % extent) % extent * stride;
            rest /= padded;
            stride *= extent;
        }
        out[i] = x[source];
    }
}

#define CIRC_PAD_SETTLED(NAME, T)                                                                                    \
    extern "C" __global__ void __launch_bounds__(1024)                                                               \
        circ_pad_settled_##NAME(const T* x, T* out, u64 elements, const long long* extents,                          \
                                const __grid_constant__ Pads pads) {                                                 \
        pad_settled(x, out, elements, extents, pads);                                                                \
    }

CIRC_PAD_SETTLED(4, u32)
CIRC_PAD_SETTLED(2, u16)

// Four dimensions, an element a thread, for engines that hold the compiled kernel: inputs, numbers, outputs. The numbers
// are the pads before each dimension, the input's extents, the output's last three, and the elements of both.
template <typename T>
__device__ __forceinline__ void pad_aot(const T* x, int p0, int p1, int p2, int p3, int d0, int d1, int d2, int d3, int y1,
                                        int y2, int y3, int xn, int yn, T* out) {
    const u64 thread = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (yn <= 0 || thread >= static_cast<u64>(yn)) return;
    u32 index = static_cast<u32>(thread);
    const u32 i3 = index % y3;
    index /= y3;
    const u32 i2 = index % y2;
    index /= y2;
    const u32 i1 = index % y1;
    const u32 i0 = index / y1;
    // The pads may go around more than once.
    const auto source = [](u32 i, u32 pad, u32 extent) { return (i + (extent - pad % extent)) % extent; };
    u32 from = source(i0, p0, d0);
    from = from * d1 + source(i1, p1, d1);
    from = from * d2 + source(i2, p2, d2);
    from = from * d3 + source(i3, p3, d3);
    if (from < static_cast<u32>(xn)) out[thread] = x[from];
}

#define CIRC_PAD_AOT(NAME, T)                                                                                        \
    extern "C" __global__ void circ_pad_aot_##NAME(const T* x, int p0, int p1, int p2, int p3, int d0, int d1,       \
                                                   int d2, int d3, int y1, int y2, int y3, int xn, int yn, T* out) { \
        pad_aot(x, p0, p1, p2, p3, d0, d1, d2, d3, y1, y2, y3, xn, yn, out);                                         \
    }

CIRC_PAD_AOT(f32, u32)
CIRC_PAD_AOT(f16, u16)
