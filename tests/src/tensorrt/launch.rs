//! What takes the launch of a kernel: `IKernelLaunchParams` and `ISymExprs`.

#![expect(unsafe_code, reason = "is called by plugins")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use super::{Exprs, call};

type This = *mut c_void;

/// The launch of a kernel at the shapes of a test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Launch {
    /// Grid and block in x, y and z, shared memory; `None` where nothing was said.
    pub dimensions: [Option<i64>; 7],
    /// 32-bit integers between the inputs' and the outputs' addresses.
    pub arguments: Vec<i64>,
}

/// What takes launches, and refuses after a number of calls.
pub struct Launches {
    params: Outer<Params>,
    arguments: Outer<Arguments>,
}

/// `{ vptr, mImpl }`, and what `mImpl` points to.
#[repr(C)]
struct Outer<T> {
    table: *const c_void,
    inner: *const T,
    held: Box<T>,
}

#[repr(C)]
struct Params {
    table: *const Dimension,
    given: RefCell<[This; 7]>,
    left: RefCell<usize>,
}

#[repr(C)]
struct Dimension {
    get: *const c_void,
    set: unsafe extern "C" fn(This, This) -> bool,
}

#[repr(C)]
struct Arguments {
    table: *const ArgumentTable,
    given: RefCell<Vec<This>>,
    left: RefCell<usize>,
}

#[repr(C)]
struct ArgumentTable {
    get: *const c_void,
    set: unsafe extern "C" fn(This, i32, This) -> bool,
    count: *const c_void,
    set_count: unsafe extern "C" fn(This, i32) -> bool,
}

// SAFETY: the pointers of the tables are to functions, or null.
unsafe impl Sync for Dimension {}
// SAFETY: as above.
unsafe impl Sync for ArgumentTable {}

static DIMENSIONS: [Dimension; 7] = [
    Dimension { get: ptr::null(), set: set::<0> },
    Dimension { get: ptr::null(), set: set::<1> },
    Dimension { get: ptr::null(), set: set::<2> },
    Dimension { get: ptr::null(), set: set::<3> },
    Dimension { get: ptr::null(), set: set::<4> },
    Dimension { get: ptr::null(), set: set::<5> },
    Dimension { get: ptr::null(), set: set::<6> },
];
static ARGUMENTS: ArgumentTable = ArgumentTable { get: ptr::null(), set: set_argument, count: ptr::null(), set_count };

/// Whether one more call is taken.
fn taken(left: &RefCell<usize>) -> bool {
    let mut left = left.borrow_mut();
    let taken = *left > 0;
    *left = left.saturating_sub(1);
    taken
}

unsafe extern "C" fn set<const AT: usize>(this: This, expr: This) -> bool {
    // SAFETY: a plugin hands back what it was given.
    let params = unsafe { &*this.cast::<Params>() };
    params.given.borrow_mut()[AT] = expr;
    taken(&params.left)
}

unsafe extern "C" fn set_argument(this: This, index: i32, expr: This) -> bool {
    // SAFETY: as above.
    let arguments = unsafe { &*this.cast::<Arguments>() };
    match arguments.given.borrow_mut().get_mut(index as usize) {
        Some(place) => *place = expr,
        None => return false,
    }
    taken(&arguments.left)
}

unsafe extern "C" fn set_count(this: This, count: i32) -> bool {
    // SAFETY: as above.
    let arguments = unsafe { &*this.cast::<Arguments>() };
    arguments.given.borrow_mut().resize(count.max(0) as usize, ptr::null_mut());
    taken(&arguments.left)
}

fn outer<T>(held: T) -> Outer<T> {
    let held = Box::new(held);
    Outer { table: ptr::null(), inner: ptr::from_ref(&*held), held }
}

impl Default for Launches {
    fn default() -> Self {
        Launches::new()
    }
}

impl Launches {
    /// Takes whatever it is given.
    pub fn new() -> Launches {
        Launches::refusing_after(usize::MAX, usize::MAX)
    }

    /// Takes as many dimensions, and as many calls for arguments, and then refuses.
    pub fn refusing_after(dimensions: usize, arguments: usize) -> Launches {
        let given = RefCell::new([ptr::null_mut(); 7]);
        let params = Params { table: DIMENSIONS.as_ptr(), given, left: RefCell::new(dimensions) };
        let given = RefCell::default();
        let arguments = Arguments { table: &raw const ARGUMENTS, given, left: RefCell::new(arguments) };
        Launches { params: outer(params), arguments: outer(arguments) }
    }

    /// Both, as a plugin is given them.
    pub fn raw(&self) -> (*mut c_void, *mut c_void) {
        (ptr::from_ref(&self.params).cast_mut().cast(), ptr::from_ref(&self.arguments).cast_mut().cast())
    }

    /// What was given. The plugin that gave it has to live.
    ///
    /// # Panics
    /// When an expression isn't an `int`, or isn't one of the builder's.
    pub fn read(&self, exprs: &Exprs) -> Launch {
        let value = |&expr: &This| {
            // SAFETY: it is an expression that a plugin lent.
            let (ty, dtype, expr) = unsafe {
                (call!(expr, 0, fn() -> i32), call!(expr, 1, fn() -> i32), call!(expr, 2, fn() -> *mut c_void))
            };
            assert_eq!((ty, dtype), (0, 2), "it is an int");
            exprs.read(expr).expect("an expression of the builder").value
        };
        let given = *self.params.held.given.borrow();
        Launch {
            dimensions: given.each_ref().map(|expr| (!expr.is_null()).then(|| value(expr))),
            arguments: self.arguments.held.given.borrow().iter().map(value).collect(),
        }
    }
}

impl std::fmt::Debug for Launches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launches").finish_non_exhaustive()
    }
}
