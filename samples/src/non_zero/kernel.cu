// Row and column of the elements of a matrix that aren't 0, in order.
//
// A warp turns 1024 elements into 32 words of 32 bits, a word a lane: bit i of word w is set where element 32 w + i isn't
// 0. A block's words are a tile. What remains is to know how many non-zeros are before a tile:
// - `non_zero_small_*`: has no tiles. Each block counts all that is before it; for small matrices, in one launch.
// - `non_zero_scan_*`: each tile publishes its count, then looks back at those before it; one pass over the input.
// - `non_zero_mark_*`, then `non_zero_write` or `non_zero_write_groups`: the first keeps words and counts, the second sums the
//   counts.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xffffffff;
constexpr u32 WORD = 32;
constexpr u32 WARP_TILE = WARP * WORD;
constexpr u32 TILE_THREADS = 256;
constexpr u32 SMALL_THREADS = 1024;
// Blocks that run on a multiprocessor together: for the marking pass few, whose threads load all they mark at once; for
// the others as many as have room, since they wait for each other or for shared memory.
constexpr u32 MARK_BLOCKS = 4;
constexpr u32 WRITE_BLOCKS = 8;
constexpr u32 WRITE_GROUP_BLOCKS = 5;
// As many as registers are enough for.
constexpr u32 SCAN_BLOCKS_F32 = __CUDA_ARCH__ >= 900 ? 8 : 6;
constexpr u32 SCAN_BLOCKS_F16 = 6;

// Numbers of columns up to which they are divided by with a reciprocal.
constexpr u32 FEW_COLUMNS = 32768;

struct Matrix {
    u64 elements;
    // Rows and columns, where the host knows only upper bounds; else null.
    const long long* extents;
    u32 columns;
    // ceil(2^32 / columns) for 2 to FEW_COLUMNS columns, else 0.
    u32 reciprocal;

    // The same with the true extents.
    __device__ __forceinline__ Matrix settled() const {
        if (extents == nullptr) return *this;
        const u64 count = static_cast<u64>(extents[0]) * static_cast<u64>(extents[1]);
        const u32 wide = count == 0 ? 1 : static_cast<u32>(extents[1]);
        const bool few = wide >= 2 && wide <= FEW_COLUMNS;
        return {count < elements ? count : elements, nullptr, wide, few ? 0xffffffff / wide + 1 : 0};
    }
};

// Places bit i of an 8-bit number (a 4-bit one) at bit 4 i (8 i).
__device__ __forceinline__ u32 spread8(u32 x) {
    x = (x | x << 12) & 0x000f000f;
    x = (x | x << 6) & 0x03030303;
    return (x | x << 3) & 0x11111111;
}

__device__ __forceinline__ u32 spread4(u32 x) {
    x = (x | x << 14) & 0x00030003;
    return (x | x << 7) & 0x01010101;
}

// The word of lane `lane` of the 1024 elements at `x`, read as vectors of 16 bytes, of which IN_FLIGHT are on their way
// together. -0 is 0, NaN is not. Ballots say which elements at one place of the lanes' vectors are set; each lane takes
// those of the vector that its word is in, and weaves its bits of them together.
template <u32 IN_FLIGHT>
__device__ __forceinline__ u32 mark_vectors(const float* x, u32 lane) {
    const uint4* from = reinterpret_cast<const uint4*>(x) + lane;
    u32 plane[4] = {};
#pragma unroll 1
    for (u32 first = 0; first < 8; first += IN_FLIGHT) {
        uint4 v[IN_FLIGHT];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) v[i] = __ldcs(from + (first + i) * WARP);
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) {
            const u32 bits[4] = {v[i].x, v[i].y, v[i].z, v[i].w};
#pragma unroll
            for (u32 j = 0; j < 4; ++j) {
                const u32 ballot = __ballot_sync(ALL_LANES, (bits[j] & 0x7fffffff) != 0);
                if (lane / 4 == first + i) plane[j] = ballot;
            }
        }
    }
    u32 word = 0;
#pragma unroll
    for (u32 j = 0; j < 4; ++j) word |= spread8(plane[j] >> lane % 4 * 8 & 0xff) << j;
    return word;
}

template <u32 IN_FLIGHT>
__device__ __forceinline__ u32 mark_vectors(const u16* x, u32 lane) {
    const uint4* from = reinterpret_cast<const uint4*>(x) + lane;
    u32 plane[8] = {};
#pragma unroll 1
    for (u32 first = 0; first < 4; first += IN_FLIGHT / 2) {
        uint4 v[IN_FLIGHT / 2];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT / 2; ++i) v[i] = __ldcs(from + (first + i) * WARP);
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT / 2; ++i) {
            const u32 bits[4] = {v[i].x, v[i].y, v[i].z, v[i].w};
#pragma unroll
            for (u32 j = 0; j < 8; ++j) {
                const u32 half = j % 2 == 0 ? 0x7fff : 0x7fff0000;
                const u32 ballot = __ballot_sync(ALL_LANES, (bits[j / 2] & half) != 0);
                if (lane / 8 == first + i) plane[j] = ballot;
            }
        }
    }
    u32 word = 0;
#pragma unroll
    for (u32 j = 0; j < 8; ++j) word |= spread4(plane[j] >> lane % 8 * 4 & 0xf) << j;
    return word;
}

__device__ __forceinline__ bool is_non_zero(float x) { return (__float_as_uint(x) & 0x7fffffff) != 0; }

__device__ __forceinline__ bool is_non_zero(u16 x) { return (x & 0x7fff) != 0; }

// The word of this lane for the 1024 elements from `start` on, read one by one; elements at or behind `n` count as 0.
template <typename T>
__device__ __forceinline__ u32 mark_singly(const T* x, u64 start, u64 n) {
    const u32 lane = threadIdx.x % WARP;
    u32 word = 0;
    if (start >= n) return word;
    for (u32 i = 0; i < WORD; ++i) {
        const u64 at = start + i * WARP + lane;
        const u32 ballot = __ballot_sync(ALL_LANES, at < n && is_non_zero(x[at]));
        if (lane == i) word = ballot;
    }
    return word;
}

// The same, read as vectors where that can be.
template <u32 IN_FLIGHT, typename T>
__device__ __forceinline__ u32 mark(const T* x, u64 start, u64 n) {
    const bool whole = start < n && n - start >= WARP_TILE && (reinterpret_cast<u64>(x) & 15) == 0;
    return whole ? mark_vectors<IN_FLIGHT>(x + start, threadIdx.x % WARP) : mark_singly(x, start, n);
}

__device__ __forceinline__ u32 warp_inclusive_sum(u32 value) {
    const u32 lane = threadIdx.x % WARP;
#pragma unroll
    for (u32 step = 1; step < WARP; step *= 2) {
        const u32 before = __shfl_up_sync(ALL_LANES, value, step);
        if (lane >= step) value += before;
    }
    return value;
}

// Non-zeros before this thread's word within the tile, and in the whole tile. Ends with the sums in use: a barrier has to
// lie between two calls with the same `sums`, which holds a number a warp.
template <u32 THREADS>
__device__ __forceinline__ u32 block_sum(u32 word, u32* sums, u32& total) {
    constexpr u32 WARPS = THREADS / WARP;
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const u32 count = __popc(word);
    const u32 inclusive = warp_inclusive_sum(count);
    if (lane == WARP - 1) sums[warp] = inclusive;
    __syncthreads();
    const u32 warp_total = lane < WARPS ? sums[lane] : 0;
    const u32 warps = warp_inclusive_sum(warp_total);
    total = __shfl_sync(ALL_LANES, warps, WARPS - 1);
    const u32 before = __shfl_sync(ALL_LANES, warps - warp_total, warp);
    return before + inclusive - count;
}

// Where a tile starts.
struct Start {
    u32 row;
    u32 column;
};

__device__ __forceinline__ Start start_of(u64 element, const Matrix& matrix) {
    if (element >> 32 == 0) {
        const u32 row = static_cast<u32>(element) / matrix.columns;
        return {row, static_cast<u32>(element) - row * matrix.columns};
    }
    const u64 row = element / matrix.columns;
    return {static_cast<u32>(row), static_cast<u32>(element - row * matrix.columns)};
}

// Row and column of the element `index` behind `start`, within its tile. A tile is no larger than FEW_COLUMNS, so that a
// wider matrix has at most one row begin in it, and that the reciprocal is exact: r = ceil(2^32 / columns) times columns
// exceeds 2^32 by less than columns, so that quotients are right for numbers up to 2^32 / columns, which is 2^17 or more;
// those here are below columns + tile, 2^16 or less.
__device__ __forceinline__ int2 position(Start start, u32 index, const Matrix& matrix) {
    u32 column = start.column + index;
    u32 row;
    if (matrix.reciprocal != 0) {
        row = __umulhi(column, matrix.reciprocal);
        column -= row * matrix.columns;
    } else if (matrix.columns == 1) {
        row = column;
        column = 0;
    } else {
        row = column >= matrix.columns;
        column -= row ? matrix.columns : 0;
    }
    return make_int2(static_cast<int>(start.row + row), static_cast<int>(column));
}

__device__ __forceinline__ void store(int2* p, int2 v) { __stcs(p, v); }

__device__ __forceinline__ void store(int2* p, int2 v, int2 next) {
    __stcs(reinterpret_cast<int4*>(p), make_int4(v.x, v.y, next.x, next.y));
}

// Lists the indices of a word's bits.
__device__ __forceinline__ void stage(u32 word, u32 first, u16* to) {
    const u32 base = threadIdx.x * WORD;
    while (word != 0) {
        to[first++] = static_cast<u16>(base + __ffs(word) - 1);
        word &= word - 1;
    }
}

// Writes the staged indices' rows and columns to `out` on. Pairs go to multiples of 16 bytes, those of a warp to a multiple
// of LINE; what is before them, and a last one, alone.
template <u32 THREADS>
__device__ __forceinline__ void write_staged(const u16* staged, u32 total, Start start, const Matrix& matrix, int2* out) {
    constexpr u32 LINE = 128 / sizeof(int2);
    const u32 to_next = (0 - static_cast<u32>(reinterpret_cast<u64>(out) / sizeof(int2))) % LINE;
    const u32 before = total < to_next ? total : to_next;
    const u32 pairs = (total - before) / 2;
    for (u32 i = threadIdx.x; i < pairs; i += THREADS) {
        const u32 at = before + 2 * i;
        store(out + at, position(start, staged[at], matrix), position(start, staged[at + 1], matrix));
    }
    u32 lone = total;
    if (threadIdx.x < before) lone = threadIdx.x;
    if (threadIdx.x == WARP && (total - before) % 2 != 0) lone = total - 1;
    if (lone < total) store(out + lone, position(start, staged[lone], matrix));
}

// Non-zeros among a 16-byte vector's elements.
__device__ __forceinline__ u32 count_vector(uint4 v, const float*) {
    return (is_non_zero(__uint_as_float(v.x)) + is_non_zero(__uint_as_float(v.y))) +
           (is_non_zero(__uint_as_float(v.z)) + is_non_zero(__uint_as_float(v.w)));
}

__device__ __forceinline__ u32 count_word(u32 word) { return ((word & 0x7fff) != 0) + ((word & 0x7fff0000) != 0); }

__device__ __forceinline__ u32 count_vector(uint4 v, const u16*) {
    return count_word(v.x) + count_word(v.y) + count_word(v.z) + count_word(v.w);
}

// Each block has as many elements as threads, and counts by itself what is before them.
template <typename T>
__device__ __forceinline__ void non_zero_small(const T* x, int2* out, long long* count, const Matrix& matrix) {
    constexpr u32 WARPS = SMALL_THREADS / WARP;
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    __shared__ u32 warps_before[WARPS], warps_own[WARPS];
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const u32 first = blockIdx.x * SMALL_THREADS;
    const u32 element = first + threadIdx.x;
    const bool set = element < matrix.elements && is_non_zero(x[element]);
    const u32 earlier = first < matrix.elements ? first : static_cast<u32>(matrix.elements);
    const u32 vectors = (reinterpret_cast<u64>(x) & 15) == 0 ? earlier / PER_VECTOR : 0;
    u32 before = 0;
#pragma unroll 8
    for (u32 i = threadIdx.x; i < vectors; i += SMALL_THREADS) {
        before += count_vector(__ldg(reinterpret_cast<const uint4*>(x) + i), x);
    }
    for (u32 i = vectors * PER_VECTOR + threadIdx.x; i < earlier; i += SMALL_THREADS) before += is_non_zero(x[i]);
    before = __reduce_add_sync(ALL_LANES, before);
    const u32 ballot = __ballot_sync(ALL_LANES, set);
    if (lane == 0) {
        warps_before[warp] = before;
        warps_own[warp] = __popc(ballot);
    }
    __syncthreads();
    const u32 all_before = __reduce_add_sync(ALL_LANES, lane < WARPS ? warps_before[lane] : 0);
    const u32 own_before = __reduce_add_sync(ALL_LANES, lane < warp ? warps_own[lane] : 0);
    const u32 at = all_before + own_before + __popc(ballot & ((1u << lane) - 1));
    if (set) {
        const u32 row = element / matrix.columns;
        out[at] = make_int2(static_cast<int>(row), static_cast<int>(element - row * matrix.columns));
    }
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == SMALL_THREADS - 1) *count = at + set;
}

// A tile's state: nothing yet, its own count, or the count of all up to it; the two highest bits of a word whose rest is
// the count. State and count change in one access and nothing else is read on their account, so relaxed accesses do.
constexpr u64 OWN = 1ull << 62;
constexpr u64 ALL = 2ull << 62;
constexpr u64 COUNT = OWN - 1;

__device__ __forceinline__ u64 peek(const u64* state) {
    u64 value;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(state) : "memory");
    return value;
}

__device__ __forceinline__ void publish(u64* state, u64 value) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(state), "l"(value) : "memory");
}

// Non-zeros before `tile`, found by one warp, which then publishes the sum.
__device__ __forceinline__ u64 look_back(u64* states, u32 tile, u32 total) {
    const u32 lane = threadIdx.x % WARP;
    if (tile == 0) return 0;
    u64 before = 0;
    // Lane 0 looks at the nearest tile.
    for (u32 end = tile;; end -= WARP) {
        u64 state = ALL;
        u32 complete, wanted;
        do {
            if (lane < end) state = peek(states + (end - 1 - lane));
            complete = __ballot_sync(ALL_LANES, state >= ALL);
            // As far as the nearest that knows all before it.
            wanted = complete == 0 ? ALL_LANES : complete ^ (complete - 1);
        } while ((__ballot_sync(ALL_LANES, state == 0) & wanted) != 0);
        const bool own = (wanted >> lane & 1) != 0 && state < ALL;
        before += __reduce_add_sync(ALL_LANES, own ? static_cast<u32>(state) : 0);
        if (complete != 0) {
            before += __shfl_sync(ALL_LANES, state, __ffs(complete) - 1) & COUNT;
            break;
        }
    }
    if (lane == 0) publish(states + tile, ALL | (before + total));
    return before;
}

// `states` holds a word for the next tile to be taken, then one for each tile; all start as 0.
template <typename T>
__device__ __forceinline__ void non_zero_scan(const T* x, int2* out, long long* count, u64* states, const Matrix& matrix) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ u32 sums[TILE_THREADS / WARP];
    __shared__ u64 shared_before;
    __shared__ Start shared_start;
    __shared__ u32 shared_tile;
    __shared__ u16 staged[TILE];
    // Tiles are taken in the order in which blocks start, so those before this one's run or have run.
    if (threadIdx.x == 0) shared_tile = static_cast<u32>(atomicAdd(states, 1ull));
    __syncthreads();
    const u32 tile = shared_tile;
    const u64 first = static_cast<u64>(tile) * TILE;
    const u32 word = mark<4>(x, first + threadIdx.x / WARP * WARP_TILE, matrix.elements);
    u32 total;
    const u32 own = block_sum<TILE_THREADS>(word, sums, total);
    if (threadIdx.x == 0) publish(states + 1 + tile, (tile == 0 ? ALL : OWN) | total);
    stage(word, own, staged);
    if (threadIdx.x < WARP) {
        const u64 before = look_back(states + 1, tile, total);
        if (threadIdx.x == 0) {
            shared_before = before;
            shared_start = start_of(first, matrix);
            if (tile == gridDim.x - 1) *count = static_cast<long long>(before + total);
        }
    }
    __syncthreads();
    write_staged<TILE_THREADS>(staged, total, shared_start, matrix, out + shared_before);
}

template <typename T>
__device__ __forceinline__ void non_zero_mark(const T* x, u32* words, u32* tile_counts, u32* range_counts, u32 tiles,
                                              u32 tiles_per_range, const Matrix& matrix) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    constexpr u32 WARPS = TILE_THREADS / WARP;
    __shared__ u32 sums[2][WARPS];
    const u32 begin = blockIdx.x * tiles_per_range;
    const u32 end = tiles - begin < tiles_per_range ? tiles : begin + tiles_per_range;
    u32 range_count = 0;
    for (u32 tile = begin; tile < end; ++tile) {
        const u32 word = mark<8>(x, static_cast<u64>(tile) * TILE + threadIdx.x / WARP * WARP_TILE, matrix.elements);
        words[static_cast<u64>(tile) * TILE_THREADS + threadIdx.x] = word;
        const u32 warp_count = __reduce_add_sync(ALL_LANES, __popc(word));
        u32* of_tile = sums[tile % 2];
        if (threadIdx.x % WARP == 0) of_tile[threadIdx.x / WARP] = warp_count;
        __syncthreads();
        if (threadIdx.x < WARP) {
            const u32 count = __reduce_add_sync(ALL_LANES, threadIdx.x < WARPS ? of_tile[threadIdx.x] : 0);
            if (threadIdx.x == 0) tile_counts[tile] = count;
            range_count += count;
        }
    }
    if (threadIdx.x == 0) range_counts[blockIdx.x] = range_count;
}

// Non-zeros among the tiles before `tile`, of which whole ranges were counted too: the same for all threads of a block. Ends with
// the sums in use, as block_sum does.
__device__ __forceinline__ u64 count_before(const u32* tile_counts, const u32* range_counts, u32 tile, u32 tiles_per_range) {
    constexpr u32 WARPS = TILE_THREADS / WARP;
    __shared__ u64 befores[WARPS];
    const u32 range = tile / tiles_per_range;
    u64 before = 0;
    for (u32 i = threadIdx.x; i < range; i += TILE_THREADS) before += range_counts[i];
    for (u32 i = range * tiles_per_range + threadIdx.x; i < tile; i += TILE_THREADS) before += tile_counts[i];
#pragma unroll
    for (u32 step = WARP / 2; step > 0; step /= 2) before += __shfl_xor_sync(ALL_LANES, before, step);
    if (threadIdx.x % WARP == 0) befores[threadIdx.x / WARP] = before;
    __syncthreads();
    before = 0;
#pragma unroll
    for (u32 i = 0; i < WARPS; ++i) before += befores[i];
    return before;
}

// A block a tile.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, WRITE_BLOCKS)
    non_zero_write(const u32* words, const u32* tile_counts, const u32* range_counts, int2* out, long long* count,
                   u32 tiles_per_range, Matrix given) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ u32 sums[TILE_THREADS / WARP];
    __shared__ Start shared_start;
    __shared__ u16 staged[TILE];
    const Matrix matrix = given.settled();
    const u32 tile = blockIdx.x;
    const u32 word = words[static_cast<u64>(tile) * TILE_THREADS + threadIdx.x];
    if (threadIdx.x == 0) shared_start = start_of(static_cast<u64>(tile) * TILE, matrix);
    const u64 before = count_before(tile_counts, range_counts, tile, tiles_per_range);
    u32 total;
    const u32 own = block_sum<TILE_THREADS>(word, sums, total);
    if (tile == gridDim.x - 1 && threadIdx.x == 0) *count = static_cast<long long>(before + total);
    stage(word, own, staged);
    __syncthreads();
    write_staged<TILE_THREADS>(staged, total, shared_start, matrix, out + before);
}

// Tiles of a block where there are many, since to find out where a tile starts takes as long as to write it where few of its
// elements are set.
constexpr u32 GROUP = 8;

// A group of tiles on its way to the output.
struct Group {
    // Non-zeros before each warp of each tile, before each tile, and in all.
    u32 before_warps[GROUP][TILE_THREADS / WARP];
    u32 before[GROUP + 1];
    Start starts[GROUP];
    u16 staged[TILE_THREADS * WORD];
};

// Adds up the warps' counts, which are in `before_warps`: one warp does, a tile's by its lanes.
__device__ __forceinline__ void sum_group(Group& group) {
    constexpr u32 WARPS = TILE_THREADS / WARP;
    const u32 lane = threadIdx.x % WARP;
    u32 sum = 0;
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        const u32 of_warp = lane < WARPS ? group.before_warps[i][lane] : 0;
        const u32 inclusive = warp_inclusive_sum(of_warp);
        if (lane < WARPS) group.before_warps[i][lane] = inclusive - of_warp;
        if (lane == 0) group.before[i] = sum;
        sum += __shfl_sync(ALL_LANES, inclusive, WARP - 1);
    }
    if (lane == 0) group.before[GROUP] = sum;
}

// The positions of a group that is staged at once.
__device__ __forceinline__ void write_few(const Group& group, const Matrix& matrix, int2* out) {
    for (u32 i = threadIdx.x; i < group.before[GROUP]; i += TILE_THREADS) {
        u32 tile = 0;
#pragma unroll
        for (u32 next = 1; next < GROUP; ++next) tile += i >= group.before[next];
        store(out + i, position(group.starts[tile], group.staged[i], matrix));
    }
}

// A block a group of tiles.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, WRITE_GROUP_BLOCKS)
    non_zero_write_groups(const u32* words, const u32* tile_counts, const u32* range_counts, int2* out, long long* count,
                          u32 tiles, u32 tiles_per_range, Matrix given) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ Group group;
    const Matrix matrix = given.settled();
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const u32 first = blockIdx.x * GROUP;
    u32 word[GROUP], own[GROUP];
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        word[i] = first + i < tiles ? words[static_cast<u64>(first + i) * TILE_THREADS + threadIdx.x] : 0;
    }
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        const u32 inclusive = warp_inclusive_sum(__popc(word[i]));
        own[i] = inclusive - __popc(word[i]);
        if (lane == WARP - 1) group.before_warps[i][warp] = inclusive;
    }
    if (threadIdx.x < GROUP) group.starts[threadIdx.x] = start_of(static_cast<u64>(first + threadIdx.x) * TILE, matrix);
    const u64 before = count_before(tile_counts, range_counts, first, tiles_per_range);
    if (warp == 0) sum_group(group);
    __syncthreads();
    const u32 total = group.before[GROUP];
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) *count = static_cast<long long>(before + total);
    if (total <= TILE) {
#pragma unroll
        for (u32 i = 0; i < GROUP; ++i) stage(word[i], group.before[i] + group.before_warps[i][warp] + own[i], group.staged);
        __syncthreads();
        write_few(group, matrix, out + before);
        return;
    }
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        if (first + i >= tiles) break;
        stage(word[i], group.before_warps[i][warp] + own[i], group.staged);
        __syncthreads();
        const u32 of_tile = group.before[i + 1] - group.before[i];
        write_staged<TILE_THREADS>(group.staged, of_tile, group.starts[i], matrix, out + before + group.before[i]);
        __syncthreads();
    }
}

extern "C" __global__ void non_zero_clear(u64* states, u64 n) {
    const u64 step = static_cast<u64>(gridDim.x) * blockDim.x;
    for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) states[i] = 0;
}

#define NON_ZERO(NAME, T, SCAN_BLOCKS)                                                                               \
    extern "C" __global__ void __launch_bounds__(SMALL_THREADS)                                                      \
        non_zero_small_##NAME(const T* x, int2* out, long long* count, Matrix matrix) {                              \
        non_zero_small(x, out, count, matrix.settled());                                                             \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS, SCAN_BLOCKS)                                          \
        non_zero_scan_##NAME(const T* x, int2* out, long long* count, u64* states, Matrix matrix) {                  \
        non_zero_scan(x, out, count, states, matrix.settled());                                                      \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS, MARK_BLOCKS)                                          \
        non_zero_mark_##NAME(const T* x, u32* words, u32* tile_counts, u32* range_counts, u32 tiles,                 \
                             u32 tiles_per_range, Matrix matrix) {                                                   \
        non_zero_mark(x, words, tile_counts, range_counts, tiles, tiles_per_range, matrix.settled());                \
    }

NON_ZERO(f32, float, SCAN_BLOCKS_F32)
NON_ZERO(f16, u16, SCAN_BLOCKS_F16)
