"""Checks and times the samples' CUDA kernels by themselves, without the runtime: what they were tuned with.

Usage: gpu_kernels.py [check|time|all [add,pad,nz]], or `compute-sanitizer --tool TOOL python3 gpu_kernels.py sanitize N` (N is 0 to 2).

Needs cupy, numpy, a GPU and NVRTC. Inputs are random; outputs are poisoned and lie between guards; times are medians of
events around calls one behind the other, those called "alone" of events around one call that is waited for. Everything
is also written to $OUT/gpu_kernels.log.
"""

import ctypes, os, sys, statistics as st, struct, time
import numpy as np
import cupy as cp

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'src')
RUNTIME = os.path.join(SOURCES, '..', '..', 'plugin-runtime', 'src', 'device', 'cuda')
OUT = os.environ.get('OUT', '/tmp')
cu = ctypes.CDLL('libcuda.so.1')
LOG = open(os.path.join(OUT, 'gpu_kernels.log'), 'a')
def say(*a):
    s = ' '.join(str(x) for x in a); print(s, flush=True); print(s, file=LOG, flush=True)

PAD = ['elements', 'rows', ('vectors', 4), ('vectors', 2), ('vectors', 8), 'tiles', 'stream', 'settled', 'aot']
MAN = {  # a name, and its sources, each with macros to compile it with
    'add': dict(sources=[('elementwise', {})], check=1, time=1),
    'pad': dict(sources=[(f'circ_pad/kernels/{p}', {}) if isinstance(p, str) else (f'circ_pad/kernels/{p[0]}', {'ELEMENT_BYTES': p[1]}) for p in PAD], check=1, time=1),
    'nz': dict(sources=[(f'non_zero/kernels/{p}', {}) for p in ('small', 'scan', 'mark', 'write')], check=1, time=1),
}
def compiled(source, defs):
    """The cubin, by NVRTC."""
    lib = ctypes.CDLL(os.environ.get('NVRTC_LIBRARY', 'libnvrtc.so.13')); prog, n = ctypes.c_void_p(), ctypes.c_size_t()
    path = os.path.join(SOURCES, source + '.cu')
    lib.nvrtcCreateProgram(ctypes.byref(prog), open(path, 'rb').read(), path.encode(), 0, None, None)
    options = ['--gpu-architecture=sm_' + cp.cuda.Device().compute_capability, '--std=c++17'] + [f'-D{k}={v}' for k, v in defs.items()] + ['--include-path=' + folder for folder in (os.path.dirname(path), RUNTIME)]
    failed = lib.nvrtcCompileProgram(prog, len(options), (ctypes.c_char_p * len(options))(*[o.encode() for o in options]))
    def text(what):
        getattr(lib, f'nvrtcGet{what}Size')(prog, ctypes.byref(n)); b = ctypes.create_string_buffer(n.value)
        getattr(lib, f'nvrtcGet{what}')(prog, b); return b
    if failed: raise RuntimeError(text('ProgramLog').value.decode())
    return text('CUBIN').raw
_mods = {}
def fn(variant, name):
    key = (variant, name)
    if key not in _mods:
        if variant not in _mods:
            _mods[variant] = [cp.cuda.function.Module() for _ in MAN[variant]['sources']]
            for m, (source, defs) in zip(_mods[variant], MAN[variant]['sources']): m.load(compiled(source, defs))
        for m in _mods[variant]:
            try: _mods[key] = m.get_function(name); break
            except cp.cuda.driver.CUDADriverError: pass
        else: raise KeyError(name)
    return ctypes.c_void_p(_mods[key].ptr)

P = lambda a: ctypes.c_uint64(int(a))
U32 = lambda a: ctypes.c_uint32(int(a))
I32 = lambda a: ctypes.c_int32(int(a))
F32 = lambda a: ctypes.c_float(a)
def blob(b): return (ctypes.c_char * len(b)).from_buffer_copy(b)
def launch(f, grid, block, *args, shared=0):
    """A prepared launch."""
    arr = (ctypes.c_void_p * len(args))(*[ctypes.cast(ctypes.pointer(a), ctypes.c_void_p) for a in args])
    s = ctypes.c_void_p(cp.cuda.get_current_stream().ptr)
    grid = grid if isinstance(grid, tuple) else (grid, 1); g, gy = ctypes.c_uint(int(grid[0])), ctypes.c_uint(int(grid[1])); b = ctypes.c_uint(int(block)); one = ctypes.c_uint(1)
    def go(_keep=args):
        r = cu.cuLaunchKernel(f, g, gy, one, b, one, one, ctypes.c_uint(shared), s, arr, None)
        if r: raise RuntimeError(f'cuLaunchKernel {r}')
    return go

stream = cp.cuda.Stream(non_blocking=True); stream.use()
SM = cp.cuda.Device().attributes['MultiProcessorCount']

BUSY = None
def timed(fns, n=15, warm=3):
    """Median microseconds of one call, back to back; fns are rotated."""
    for i in range(warm): fns[i % len(fns)]()
    # The GPU is kept busy until all is asked for, so that it never waits for this program.
    if BUSY is not None:
        for _ in range(4): cu.cuMemsetD8Async(P(BUSY.data.ptr), ctypes.c_ubyte(0), ctypes.c_size_t(BUSY.nbytes), ctypes.c_void_p(cp.cuda.get_current_stream().ptr))
    ev = [cp.cuda.Event() for _ in range(n + 1)]
    ev[0].record()
    for i in range(n):
        fns[i % len(fns)](); ev[i + 1].record()
    ev[n].synchronize()
    return st.median([cp.cuda.get_elapsed_time(ev[i], ev[i + 1]) * 1e3 for i in range(n)])
def timed_alone(f, n=50, warm=10):
    """As gpu_peers.py does: record, call, record, synchronize."""
    for _ in range(warm): f()
    stream.synchronize(); t = []
    for _ in range(n):
        a, b = cp.cuda.Event(), cp.cuda.Event(); a.record(); f(); b.record(); b.synchronize(); t.append(cp.cuda.get_elapsed_time(a, b) * 1e3)
    return st.median(t)

# ---------- host sides ----------
EXT = 0
def nz_matrix(n, cols): return blob(struct.pack('<QQII', n, EXT, max(cols, 1), -(-(1 << 32) // cols) if 2 <= cols <= 32768 else 0))
def nz_small(v, dt, x, out, cnt, n, cols):
    return launch(fn(v, f'non_zero_small_{dt}'), max(1, -(-n // 1024)), 1024, P(x), P(out), P(cnt), nz_matrix(n, cols))
def nz_scan(v, dt, x, out, cnt, ws, n, cols):
    tt = 256; tiles = max(1, -(-n // (tt * 32)))
    a = launch(fn(v, 'non_zero_clear'), min(-(-(tiles + 1) // 256), 1024), 256, P(ws), P(tiles + 1))
    b = launch(fn(v, f'non_zero_scan_{dt}'), tiles, tt, P(x), P(out), P(cnt), P(ws), nz_matrix(n, cols))
    return lambda: (a(), b())
def nz_two(v, dt, x, out, cnt, ws, n, cols, ranges=None, group=1):
    tt = 256; tiles = max(1, -(-n // (tt * 32)))
    ranges = ranges or SM * 16
    per = -(-tiles // ranges); nr = -(-tiles // per)
    words = ws; tc = ws + tiles * tt * 4; rc = tc + tiles * 4
    m = nz_matrix(n, cols)
    a = launch(fn(v, f'non_zero_mark_{dt}'), nr, tt, P(x), P(words), P(tc), P(rc), U32(tiles), U32(per), m)
    given = (P(words), P(tc), P(rc), P(out), P(cnt), *([] if group == 1 else [U32(tiles)]), U32(per), m)
    b = launch(fn(v, 'non_zero_write' + ('' if group == 1 else '_groups')), -(-tiles // group), tt, *given)
    return lambda: (a(), b())
def nz_ws(n): return (n // 4096 + 2) * (1024 + 24) + 65536

SEGMENT = 4096
def divisor(d, bits):
    s = (d - 1).bit_length(); m = ((1 << bits) * ((1 << s) - d)) // d + 1
    return m, s
def cp_plan(shape, pads, bits):
    axes = []
    for i, e in enumerate(reversed(shape)):
        b, a = (pads[2 * i], pads[2 * i + 1]) if 2 * i < len(pads) else (0, 0)
        if axes and axes[-1][0] == axes[-1][2]:
            r = axes[-1][0]; axes[-1] = [e * r, b * r, (e + b + a) * r]
        else: axes.append([e, b, e + b + a])
    if not axes: axes = [[1, 0, 1]]
    f = 'I' if bits == 32 else 'Q'
    outs = int(np.prod([a[2] for a in axes])); ins = int(np.prod([a[0] for a in axes]))
    rows = outs // axes[0][2] if axes[0][2] else 0; seg = max(SEGMENT, (-(-axes[0][2] // 65535) + 7) // 8 * 8); segs = max(1, -(-axes[0][2] // seg)); by = struct.pack('<5' + f, ins, outs, rows, seg, len(axes)); stride = 1
    for e, b, p in axes:
        off = (e - b % e) % e if e else 0
        by += struct.pack('<8' + f, e, p, off, stride, *divisor(max(e, 1), bits), *divisor(max(p, 1), bits)); stride *= e
    for _ in range(8 - len(axes)): by += struct.pack('<8' + f, 1, 1, 0, 0, *divisor(1, bits), *divisor(1, bits))
    return by, ins, outs, rows, segs
def pad_elements(v, size, bits, x, out, shape, pads, block=256, waves=None):
    by, ins, outs, rows, segs = cp_plan(shape, pads, bits)
    return launch(fn(v, f'circ_pad_elements_{size}x{bits}'), max(1, min(-(-outs // block), SM * waves if waves else 2**31 - 1)), block, P(x), P(out), blob(by))
def pad_rows(v, size, bits, x, out, shape, pads, block=128, threads=32, kind='rows', suffix=''):
    by, ins, outs, rows, segs = cp_plan(shape, pads, bits)
    return launch(fn(v, f'circ_pad_{kind}_{size}x{bits}{suffix}'), (max(1, -(-rows // (block // threads))), segs), block, P(x), P(out), blob(by))
def pad_with(threads, suffix):
    def pad(v, size, bits, *a, **k):
        return pad_rows(v, size, bits, *a, kind='vectors', threads=32 if bits == 64 else threads, suffix='_long' if bits == 64 else '_' + suffix, **k)
    pad.__name__ = 'pad_vectors_' + suffix
    return pad
TILE = 8192
def pad_tiles(v, size, bits, x, out, shape, pads, block=None, tile=None):
    """None where rows are too long, or indices too large."""
    by, ins, outs, rows, segs = cp_plan(shape, pads, 32); padded = struct.unpack_from('<I', by, 24)[0]
    if bits == 64 or padded > 512 or not outs: return None
    blocks = range(128, 513, 32) if block is None else [max(block, -(-padded // 32) * 32)]
    threads = max(blocks, key=lambda b: (b // padded * padded / b > 0.9, -abs(b - 256) if b // padded * padded / b > 0.9 else b // padded * padded / b))
    tile = tile or TILE
    at_once = threads // padded * 8; in_tile = min(max(1, round(int(tile) / (at_once * padded * size))) * at_once, rows); by = by[:12] + struct.pack('<I', in_tile) + by[16:]
    return launch(fn(v, f'circ_pad_tiles_{size}x32'), -(-rows // in_tile), threads, P(x), P(out), blob(by), shared=-(-in_tile // 4) * 16 + in_tile * padded * size + 16)
def pad_stream(v, size, bits, x, out, shape, pads, block=256):
    by, ins, outs, rows, segs = cp_plan(shape, pads, 32)
    if bits == 64 or not outs: return None
    return launch(fn(v, f'circ_pad_stream_{size}x32'), max(1, -(-(outs * size // 16) // (256 * 2))), 256, P(x), P(out), blob(by))
PADS = [pad_tiles, pad_stream, pad_elements, pad_rows, pad_with(16, '16'), pad_with(32, '32'), pad_with(32, 'long')]
def pad_reference(x, shape, pads):
    out = x.reshape(shape)
    for i in range(len(shape)):
        ax = len(shape) - 1 - i; b, a = (pads[2 * i], pads[2 * i + 1]) if 2 * i < len(pads) else (0, 0)
        if b or a: out = np.take(out, (np.arange(shape[ax] + b + a) - b) % shape[ax], axis=ax)
    return np.ascontiguousarray(out).reshape(-1)
def add_grid(v, size, n, block, waves):
    one = max(1, -(-n // (16 // size * block)))
    return min(one, SM * waves) if waves else min(one, 2**31 - 1)

# ---------- checks ----------
EXACT = len(sys.argv) > 1 and sys.argv[1] == 'sanitize'
class Exact:
    """A device buffer of just `size` bytes, not written unless there is data: what compute-sanitizer should see."""
    def __init__(self, size, offset=0, data=None):
        self.size, self.dev = size, cp.cuda.alloc(max(1, size + offset)); self.ptr = self.dev.ptr + offset
        if data is not None and size: (self.dev + offset).copy_from_host(ctypes.c_void_p(np.ascontiguousarray(data).ctypes.data), size)
        self.offset = offset
    def get(self, used=None):
        u = self.size if used is None else used; h = np.empty(u, np.uint8)
        if u: (self.dev + self.offset).copy_to_host(ctypes.c_void_p(h.ctypes.data), u)
        return h
if EXACT: cp.cuda.set_allocator(None)
class Guarded:
    """A device buffer of `size` bytes at `offset` from a multiple of 256, poisoned, with guards."""
    def __init__(self, size, offset=0, data=None):
        self.size, self.offset = size, offset
        host = np.full(256 + offset + size + 256, 0xA5, np.uint8)
        if data is not None: host[256 + offset:256 + offset + size] = np.frombuffer(data.tobytes(), np.uint8)
        self.before = host.copy(); self.dev = cp.asarray(host); self.ptr = self.dev.data.ptr + 256 + offset
    def get(self, used=None):
        h = cp.asnumpy(self.dev); o = 256 + self.offset; u = self.size if used is None else used
        assert (h[:o] == 0xA5).all(), 'written before the start'
        assert (h[o + u:] == 0xA5).all(), 'written behind the end'
        return h[o:o + u]
if EXACT: Guarded = Exact
rng = np.random.default_rng(int(time.time()))
def some(n, dt, density):
    x = rng.standard_normal(n).astype(np.float32); x[x == 0] = 1
    x[rng.random(n) >= density] = 0
    if n > 20: x[rng.integers(0, n, 3)] = np.nan; x[rng.integers(0, n, 3)] = -0.0; x[rng.integers(0, n, 2)] = 6e-8
    return x.astype(np.float32 if dt == 'f32' else np.float16)
BAD = []
def expect(ok, what):
    if not ok: BAD.append(what); say('WRONG', what)

NZ_SHAPES = [(0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (1, 40000), (40000, 1), (33, 31), (128, 128), (257, 129), (2, 32768), (3, 32767),
             (3, 32769), (3, 70001), (70001, 3), (1024, 1024), (99, 8192), (99, 8193), (513, 2), (1000, 999), (65537, 2)]
def check_non_zero(variants, shapes=NZ_SHAPES, densities=(0.5, 0.0, 1.0, 0.01, 0.1)):
    n_done = 0
    for k, shape in enumerate(shapes):
        n = shape[0] * shape[1]
        for dt in ('f32', 'f16'):
            for d in densities:
                x = some(n, dt, d); size = x.itemsize
                flat = np.flatnonzero(x != 0); want = np.stack([flat // max(shape[1], 1), flat % max(shape[1], 1)], 1).astype(np.int32)
                xo, oo = [(0, 0), (size, 8), (0, 8), (16, 0)][(k + int(d * 3)) % 4]
                xb = Guarded(x.nbytes, xo, x)
                for v in variants:
                    for kind in ('small', 'scan', 'two', 'two_few'):
                        ob = Guarded(n * 8, oo); cb = Guarded(8); ws = Guarded(nz_ws(n))
                        if kind == 'small': f = nz_small(v, dt, xb.ptr, ob.ptr, cb.ptr, n, shape[1])
                        elif kind == 'scan': f = nz_scan(v, dt, xb.ptr, ob.ptr, cb.ptr, ws.ptr, n, shape[1])
                        else: f = nz_two(v, dt, xb.ptr, ob.ptr, cb.ptr, ws.ptr, n, shape[1], [None, 7, 1, 2][k % 4], group=1 if kind == 'two' else 8)
                        f(); stream.synchronize()
                        c = int(cb.get().view(np.int64)[0]); what = f'non_zero {v} {kind} {shape} {dt} {d} {xo} {oo}'
                        if c != len(want): expect(False, what + f' count {c} for {len(want)}'); continue
                        try: expect(np.array_equal(ob.get(c * 8).view(np.int32).reshape(-1, 2), want), what)
                        except AssertionError as e: expect(False, what + ' ' + str(e))
                        n_done += 1
    return n_done

def pad_cases(count):
    yield from [((), ()), ((1,), (0, 0)), ((1,), (3, 4)), ((1, 1, 1), (1, 2, 0, 0, 2, 1)), ((3, 64, 65, 130), (1, 1, 1, 1)), ((70001,), (3, 50000)),
                ((2, 3), (40000, 7)), ((5, 10003), (0, 0, 1, 2)), ((1001, 7, 31), (2, 0, 0, 0, 1, 1)), ((10, 3, 32, 32), (1, 1, 1, 1)),
                ((4, 5, 2), (17, 9, 8, 30)), ((2, 2, 2, 2, 2, 2, 2, 2), (1, 0, 0, 1, 1, 1, 3, 0, 0, 0, 1, 0, 0, 1, 2, 2)), ((8, 8, 256, 256), (1, 1, 1, 1))]
    for _ in range(count):
        r = int(rng.integers(1, 9)); top = [0, 60, 60, 30, 12, 6, 4, 3, 3][r]
        shape = tuple(int(1 + rng.integers(0, top)) for _ in range(r)); k = int(rng.integers(0, r + 1))
        pads = [int([0, 0, 1, 1, 2, 3, 5, 17][rng.integers(0, 8)]) for _ in range(2 * k)]
        yield shape, tuple(p if i < 4 else min(p, 1) for i, p in enumerate(pads))
def check_pad(variants, count):
    global SEGMENT
    n_done = 0
    for k, (shape, pads) in enumerate(pad_cases(count)):
        n = int(np.prod(shape)) if shape else 1; SEGMENT = [4096, 64][k % 2]
        for size, ty in ((4, np.uint32), (2, np.uint16)):
            x = rng.integers(0, 2**16, n).astype(ty); want = pad_reference(x, shape, pads)
            xo, oo = [(0, 0), (size, 0), (0, size), (8, 3 * size)][k % 4]
            xb = Guarded(x.nbytes, xo, x)
            for v in variants:
                for bits in (32, 64):
                    for how in PADS:
                        ob = Guarded(want.nbytes, oo); go = how(v, size, bits, xb.ptr, ob.ptr, shape, pads, [256, 128, 96][k % 3] if how is pad_elements else [128, 64, 96][k % 3])
                        if go is None: continue
                        go(); stream.synchronize()
                        what = f'{how.__name__} {v} {shape} {pads} {size} {bits} {xo} {oo}'
                        try: expect(np.array_equal(ob.get().view(ty), want), what)
                        except AssertionError as e: expect(False, what + ' ' + str(e))
                        n_done += 1
                if len(shape) == 4:
                    ob = Guarded(want.nbytes, oo); y = [s + ((pads[2*(3-i)] + pads[2*(3-i)+1]) if 2*(3-i) < len(pads) else 0) for i, s in enumerate(shape)]
                    p = [pads[2*(3-i)] if 2*(3-i) < len(pads) else 0 for i in range(4)]
                    launch(fn(v, 'circ_pad_aot_' + ('f32' if size == 4 else 'f16')), -(-len(want) // 128), 128, P(xb.ptr), *map(I32, p), *map(I32, shape), *map(I32, y[1:]), I32(n), I32(len(want)), P(ob.ptr))()
                    stream.synchronize(); expect(np.array_equal(ob.get().view(ty), want), f'circ_pad_aot {v} {shape} {pads} {size}'); n_done += 1
    return n_done
def check_add(variants):
    n_done = 0
    for v in variants:
        for n in (0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 1000, 4096, 5000, 65536, 100003):
            for dt, ty in (('f32', np.float32), ('f16', np.float16)):
                x = some(n, dt, 0.8)
                for delta in (1, -3, 2**31 - 1):
                    want = (x.astype(np.float32) + np.float32(delta)).astype(ty)
                    for xo, oo in ((0, 0), (x.itemsize, 0), (0, x.itemsize)):
                        for block in (1, 3, 33, 256, 1024):
                            g = add_grid(v, x.itemsize, n, block, 8)
                            xb = Guarded(x.nbytes, xo, x); ob = Guarded(x.nbytes, oo)
                            launch(fn(v, f'add_{dt}'), g, block, P(xb.ptr), P(ob.ptr), P(n), P(0), U32(0), F32(delta))()
                            launch(fn(v, f'inplace_add_{dt}'), g, block, P(xb.ptr), P(n), P(0), U32(0), F32(delta))(); stream.synchronize()
                            what = f'add {v} {n} {dt} {delta} {xo} {oo} {block}'
                            expect(np.array_equal(ob.get().view(ty), want, equal_nan=True), what); expect(np.array_equal(xb.get().view(ty), want, equal_nan=True), 'inplace_' + what)
                            n_done += 2
                xb = Guarded(x.nbytes, 0, x); ob = Guarded(x.nbytes)
                launch(fn(v, f'add_aot_{dt}'), max(1, -(-n // 128)), 128, P(xb.ptr), I32(n), P(ob.ptr))(); stream.synchronize()
                expect(np.array_equal(ob.get().view(ty), (x.astype(np.float32) + np.float32(1)).astype(ty), equal_nan=True), f'add_aot {v} {n} {dt}'); n_done += 1
    return n_done

def check_settled(nz, pad, add):
    """Kernels that are given upper bounds, and the truth on the device."""
    global EXT
    done = 0
    for shape, upper in (((0, 0), (50, 60)), ((7, 11), (50, 60)), ((1000, 300), (1000, 1000)), ((300, 1), (3000, 900)), ((70, 40000), (100, 50000))):
        ext = cp.asarray(np.array(shape, np.int64)); n, m = shape[0] * shape[1], upper[0] * upper[1]
        for dt, ty in (('f32', np.float32), ('f16', np.float16)):
            x = some(n, dt, 0.5); size = x.itemsize; flat = np.flatnonzero(x != 0); want = np.stack([flat // max(shape[1], 1), flat % max(shape[1], 1)], 1).astype(np.int32)
            full = np.full(m, 7, ty); full[:n] = x; xb = Guarded(full.nbytes, 0, full)
            for kind in (nz_small, nz_scan, nz_two):
                ob = Guarded(n * 8); cb = Guarded(8); ws = Guarded(nz_ws(m)); EXT = ext.data.ptr
                kind(nz, dt, xb.ptr, ob.ptr, cb.ptr, *([] if kind is nz_small else [ws.ptr]), m, upper[1])(); stream.synchronize(); EXT = 0
                c = int(cb.get().view(np.int64)[0]); what = f'settled {kind.__name__} {shape} {dt}'
                expect(c == len(want) and np.array_equal(ob.get(c * 8).view(np.int32).reshape(-1, 2), want), what); done += 1
            ob = Guarded(full.nbytes); launch(fn(add, f'add_{dt}'), 999, 128, P(xb.ptr), P(ob.ptr), P(m), P(ext.data.ptr), U32(2), F32(1))(); stream.synchronize()
            expect(np.array_equal(ob.get(x.nbytes).view(ty), (x.astype(np.float32) + np.float32(1)).astype(ty), equal_nan=True), f'settled add {shape} {dt}'); done += 1
            launch(fn(add, f'inplace_add_{dt}'), 999, 128, P(xb.ptr), P(m), P(ext.data.ptr), U32(2), F32(1))(); stream.synchronize()
            full[:n] = (x.astype(np.float32) + np.float32(1)).astype(ty); expect(np.array_equal(xb.get().view(ty), full, equal_nan=True), f'settled inplace {shape} {dt}'); done += 1
            if n:
                pads = (3, 100, 2, 1); bits = rng.integers(0, 2**15, n).astype(np.uint32 if size == 4 else np.uint16); w = pad_reference(bits, shape, pads)
                pb = Guarded(bits.nbytes, 0, bits); ob = Guarded(w.nbytes + 400)
                by = struct.pack('<17I', 2, pads[2], pads[0], *[0] * 6, pads[3], pads[1], *[0] * 6)
                launch(fn(pad, f'circ_pad_settled_{size}'), 100, 256, P(pb.ptr), P(ob.ptr), P(len(w) + 50), P(ext.data.ptr), blob(by))(); stream.synchronize()
                expect(np.array_equal(ob.get(w.nbytes).view(bits.dtype), w), f'settled pad {shape} {size}'); done += 1
    return done

# ---------- times ----------
ROWS = []
def row(work, floor, what, us):
    ROWS.append((work, floor, what, us)); print(f'{work:34s} {what:58s} {us:9.1f} us  {us / floor:6.3f} x', file=LOG, flush=True)
def copy_rate():
    a = cp.empty(2**30, np.uint8); b = cp.empty_like(a); a[:] = 1
    f = lambda: b.data.copy_from_device_async(a.data, a.nbytes)
    t = timed([f], 30); t2 = timed([f], 30); say(f'copy of 1 GiB {t:.1f} {t2:.1f} us = {2 * 2**30 / min(t, t2) / 1e3:.0f} GB/s'); return 2 * 2**30 / min(t, t2) / 1e3, min(t, t2)
def copies(total, n):
    """Device copies that read and write so many bytes in all, of as many pairs of buffers."""
    pairs = [(cp.empty(total // 2, np.uint8), cp.empty(total // 2, np.uint8)) for _ in range(n)]
    return [lambda a=a, b=b: b.data.copy_from_device_async(a.data, a.nbytes) for a, b in pairs]
def time_add(variants, copy_us):
    n = 2**28
    x = cp.random.standard_normal(n, dtype=np.float32); out = cp.empty_like(x)
    for v in variants:
        for block in (128, 256, 512, 1024):
            for waves in (None,):
                row('add f32 1 GiB', copy_us, f'{v} block {block} waves {waves}', timed([launch(fn(v, 'add_f32'), add_grid(v, 4, n, block, waves), block, P(x.data.ptr), P(out.data.ptr), P(n), P(0), U32(0), F32(1))], 9))
        for waves in (None, 16):
            row('add f16 1 GiB', copy_us, f'{v} block 256 waves {waves}', timed([launch(fn(v, 'add_f16'), add_grid(v, 2, 2 * n, 256, waves), 256, P(x.data.ptr), P(out.data.ptr), P(2 * n), P(0), U32(0), F32(1))], 9))
            row('inplace_add f32 1 GiB', copy_us, f'{v} block 256 waves {waves}', timed([launch(fn(v, 'inplace_add_f32'), add_grid(v, 4, n, 256, waves), 256, P(out.data.ptr), P(n), P(0), U32(0), F32(1))], 9))
def time_pad(variants, rate):
    for size, ty in ((4, np.uint32), (2, np.uint16)):
        for shape, n_sets, pads in (((64, 64, 256, 256), 1, (1,) * 4), ((10, 3, 32, 32), 1, (1,) * 4), ((64, 64, 64, 64), 4, (1,) * 4), ((8, 512, 33, 33), 8, (1,) * 4), ((1024, 1024, 14, 14), 1, (1,) * 4),
                                    ((1, 1, 4097, 4099), 4, (1,) * 4), ((64, 64, 128, 128), 1, (64,) * 4), ((100000, 14), 8, (1,) * 4), ((64, 64, 255, 255), 1, (1,) * 4), ((16, 3, 1024, 1024), 2, (1,) * 4), ((1024, 32, 64, 7), 2, (3, 3, 1, 1)), ((512, 512, 300), 2, (2, 2)), ((2, 20000000), 2, (1,) * 4)):
            y = (*shape[:-2], shape[-2] + sum(pads[2:]), shape[-1] + sum(pads[:2])); n, m = int(np.prod(shape)), int(np.prod(y))
            floor = (n + m) * size / rate / 1e3; work = f'circ_pad {shape} {size} bytes'
            sets = [(cp.random.randint(0, 2**15, n, dtype=np.int32).astype(ty), cp.empty(m, ty)) for _ in range(n_sets)]
            want = None; big = n > 10**7
            row(work, floor, 'pad_copy of as many bytes', timed(copies((n + m) * size, n_sets), 11))
            for v in variants:
                for how in PADS:
                        if how is pad_tiles:
                            for tile in (4096, 8192, 16384):
                                runs = [how(v, size, 32, x.data.ptr, o.data.ptr, shape, pads, tile=tile) for x, o in sets]
                                if runs[0]: row(work, floor, f'{how.__name__} {v} tile {tile}', timed(runs, 11))
                            if not runs[0]: continue
                        else:
                            kw = {'waves': 64} if how is pad_elements else {}
                            row(work, floor, f'{how.__name__} {v}', timed([how(v, size, 32, x.data.ptr, o.data.ptr, shape, pads, 128, **kw) for x, o in sets], 11))
                        if big:
                            o = sets[0][1]
                            if want is None: want = cp.pad(sets[0][0].reshape(shape), [(0, 0)] * (len(shape) - 2) + [pads[2:] if len(pads) > 2 else (0, 0), pads[:2]], 'wrap').reshape(-1)
                            expect(bool((o == want).all()), f'{how.__name__} {v} {shape} big'); o[:] = 7
            del sets, want
def time_nz(variants, rate):
    both = ('f32', 'f16')
    for shape, dts, n_sets, kept in (((16384, 16384), both, 1, .5), ((16384, 16384), both, 1, .01), ((16384, 16384), ('f32',), 1, .99), ((4096, 4096), both, 3, .5), ((4096, 4096), both, 3, .01), ((4096, 4096), ('f32',), 3, .99),
                                     ((1024, 1024), both, 1, .5), ((1024, 1024), ('f32',), 1, .01), ((2048, 2048), both, 2, .5), ((128, 128), ('f32',), 1, .5), ((256, 256), both, 1, .5), ((362, 362), both, 1, .5), ((512, 512), ('f32',), 1, .5)):
        for dt in dts:
            n = shape[0] * shape[1]; ty = np.float32 if dt == 'f32' else np.float16
            sets = []
            for _ in range(n_sets):
                x = cp.random.standard_normal(n, dtype=np.float32); x[cp.random.random(n, dtype=np.float32) >= kept] = 0; x = x.astype(ty)
                c = int(cp.count_nonzero(x)); sets.append((x, cp.empty(2 * c if n > 10**6 else 2 * n, np.int32), cp.zeros(1, np.int64)))
            ws = cp.empty(nz_ws(n), np.uint8); want = cp.flatnonzero(sets[0][0]).astype(np.int32)
            floor = (n * ty(0).itemsize + c * 8) / rate / 1e3; work = f'non_zero {shape} {dt} {kept}'
            runs = []
            fs = copies(n * ty(0).itemsize + c * 8, n_sets)
            row(work, floor, 'nz copy of as many bytes', timed(fs, 11)); row(work + ' alone', floor, 'nz copy of as many bytes', timed_alone(fs[0], 20)); del fs
            for v in variants:
                if n <= 2**18: runs.append((f'{v} small', [nz_small(v, dt, x.data.ptr, o.data.ptr, k.data.ptr, n, shape[1]) for x, o, k in sets], n))
                runs.append((f'{v} scan', [nz_scan(v, dt, x.data.ptr, o.data.ptr, k.data.ptr, ws.data.ptr, n, shape[1]) for x, o, k in sets], n))
                for group in (1, 8):
                    runs.append((f'{v} two group {group}', [nz_two(v, dt, x.data.ptr, o.data.ptr, k.data.ptr, ws.data.ptr, n, shape[1], group=group) for x, o, k in sets], n))
                if n >= 2**20:
                    m = nz_two(v, dt, *[a.data.ptr for a in sets[0]], ws.data.ptr, n, shape[1], SM * 16)
                    cells = [c.cell_contents for c in m.__closure__]
                    row(work, floor, f'{v} two: mark alone, write alone', timed([cells[0]], 7)); row(work, floor, f'{v} two: write alone', timed([cells[1]], 7))
            for name, fs, _ in runs:
                row(work, floor, name, timed(fs, 9 if n > 2**20 else 25))
                if n <= 2**24: row(work + ' alone', floor, name, timed_alone(fs[0], 20))
                sets[0][1][:] = -7; sets[0][2][:] = -7; fs[0](); o = sets[0][1][:2 * len(want)].reshape(-1, 2)
                expect(int(sets[0][2][0]) == len(want) and bool((o[:, 0] * np.int32(shape[1]) + o[:, 1] == want).all()), work + ' ' + name)
            del sets, ws, want, runs
def table(best=4):
    say(f'\nbest {best} of each:')
    for work in dict.fromkeys(r[0] for r in ROWS):
        for w, floor, what, us in sorted([r for r in ROWS if r[0] == work], key=lambda r: r[3])[:best]:
            say(f'{work:34s} floor {floor:7.1f}  {what:58s} {us:8.1f} us {us / floor:6.3f} x')

if __name__ == '__main__':
    mode = sys.argv[1] if len(sys.argv) > 1 else 'all'
    t0 = time.time()
    by = lambda kind, flag: [v for v in MAN if v.split('_')[0] == kind and MAN[v].get(flag)]  # variants are named add_.., pad_.., nz_..
    if mode in ('check', 'all'):
        say('checked add', check_add(by('add', 'check')), f'{time.time() - t0:.1f} s')
        say('checked pad', check_pad(by('pad', 'check'), 60), f'{time.time() - t0:.1f} s')
        say('checked non_zero', check_non_zero(by('nz', 'check')), f'{time.time() - t0:.1f} s')
        say('checked settled', check_settled(by('nz', 'check')[0], by('pad', 'check')[0], by('add', 'check')[0]))
        say('WRONG' if BAD else 'all right', len(BAD))
    SEGMENT = 4096
    if mode == 'sanitize':
        say('checked non_zero', check_non_zero(by('nz', 'check')[:1], NZ_SHAPES[int(sys.argv[2])::3], (0.5,)), f'{time.time() - t0:.1f} s')
        say('checked pad', check_pad(by('pad', 'check')[:1], 4), check_settled(by('nz', 'check')[0], by('pad', 'check')[0], by('add', 'check')[0]), f'{time.time() - t0:.1f} s')
        say('WRONG' if BAD else 'all right', len(BAD))
    if mode in ('time', 'all'):
        rate, copy_us = copy_rate(); BUSY = cp.empty(2**30, np.uint8)
        for what in (lambda: time_add(by('add', 'time'), copy_us), lambda: time_pad(by('pad', 'time'), rate), lambda: time_nz(by('nz', 'time'), rate)):
            if len(sys.argv) > 2 and not any(f'time_{kind}' in what.__code__.co_names for kind in sys.argv[2].split(',')): continue
            try: what()
            except Exception as e: say('FAILED', repr(e))
            cp.get_default_memory_pool().free_all_blocks(); say(f'{time.time() - t0:.1f} s')
        table(); say('WRONG:' if BAD else 'all right', BAD[:10])
