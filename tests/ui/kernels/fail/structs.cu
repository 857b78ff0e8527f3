struct Extents { long long rows; };
extern "C" __global__ void fill(float* y, Extents extents) { y[0] = extents.rows; }
