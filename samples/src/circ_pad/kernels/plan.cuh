// Circular padding, of elements of 2 and of 4 bytes whatever they mean: what its kernels share.
#pragma once

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
