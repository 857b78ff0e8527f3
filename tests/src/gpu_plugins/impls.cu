typedef unsigned long long u64;

// Where an element lies, with channels in groups of `lanes` side by side.
__device__ u64 place(u64 batch, u64 channel, u64 at, u64 channels, u64 plane, u64 lanes) {
    u64 groups = (channels + lanes - 1) / lanes;
    return ((batch * groups + channel / lanes) * plane + at) * lanes + channel % lanes;
}

// out = x + 1, each in a layout of its own. `n` elements of `channels` planes of `plane` elements.
extern "C" __global__ void add_channels_f32(
    const float* x, float* out, u64 n, u64 channels, u64 plane, u64 from_lanes, u64 to_lanes
) {
    u64 i = blockIdx.x * (u64)blockDim.x + threadIdx.x;
    if (i < n) {
        u64 at = i % plane, channel = i / plane % channels, batch = i / plane / channels;
        out[place(batch, channel, at, channels, plane, to_lanes)]
            = x[place(batch, channel, at, channels, plane, from_lanes)] + 1.0f;
    }
}
