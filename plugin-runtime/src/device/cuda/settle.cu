// Extents that only the device knows: size tensors are read, and what follows from them is computed.

struct Sizes {
    unsigned long long address[4];
    long long upper[4];
    unsigned symbol[4];
    unsigned wide[4];
    unsigned count;
    unsigned unused;
};

struct Values {
    long long value[64];
};

// The values of symbols that the host knows.
extern "C" __global__ void set_symbols(long long* table, unsigned first, unsigned count, Values values) {
    if (threadIdx.x < count) {
        table[first + threadIdx.x] = values.value[threadIdx.x];
    }
}

__device__ long long read(const long long* word, const long long* table, const long long* slots) {
    switch (word[0]) {
        case 0: return word[1];
        case 1: return table[word[1]];
        default: return slots[word[1]];
    }
}

__device__ long long floor_div(long long a, long long b) {
    if (b == 0) {
        return 0;
    }
    long long quotient = a / b;
    return quotient - ((a % b != 0) && ((a < 0) != (b < 0)));
}

__device__ long long apply(long long operation, long long a, long long b) {
    switch (operation) {
        case 1: return floor_div(a, b);
        case 2: return -floor_div(-a, b);
        case 3: return a > b ? a : b;
        case 4: return a < b ? a : b;
        case 5: return a == b;
        case 6: return a < b;
        default: return a + b;
    }
}

// Puts size tensors into the table of symbols, none above its upper bound, then runs a program over it. `words` are the
// number of steps, the number of results, the steps, and where each result is.
extern "C" __global__ void settle(const long long* words, long long* table, unsigned slots_at, unsigned out_at, Sizes sizes) {
    for (unsigned i = 0; i < sizes.count; ++i) {
        const void* place = (const void*)sizes.address[i];
        long long found = sizes.wide[i] ? *(const long long*)place : *(const int*)place;
        found = found < 0 ? 0 : found;
        table[sizes.symbol[i]] = found > sizes.upper[i] ? sizes.upper[i] : found;
    }
    long long* slots = table + slots_at;
    long long steps = words[0], results = words[1];
    const long long* word = words + 2;
    for (long long step = 0; step < steps; ++step) {
        long long operation = word[0], count = word[1], value = 0;
        word += 2;
        if (operation == 0) {
            for (long long term = 0; term < count; ++term) {
                long long product = word[0], factors = word[1];
                word += 2;
                for (long long factor = 0; factor < factors; ++factor, word += 2) {
                    product = (long long)((unsigned long long)product * (unsigned long long)read(word, table, slots));
                }
                value = (long long)((unsigned long long)value + (unsigned long long)product);
            }
        } else {
            for (long long operand = 0; operand < count; ++operand, word += 2) {
                long long next = read(word, table, slots);
                value = operand == 0 ? next : apply(operation, value, next);
            }
        }
        slots[step] = value;
    }
    for (long long result = 0; result < results; ++result, word += 2) {
        long long value = read(word, table, slots);
        table[out_at + result] = value < 0 ? 0 : value;
    }
}
