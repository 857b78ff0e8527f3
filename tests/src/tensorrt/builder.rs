//! An expression builder that computes at once, and says what was made of what.

#![expect(unsafe_code, reason = "is called by plugins")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

type This = *mut c_void;

/// What stands for an extent: its value at the shapes of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expr {
    /// The value.
    pub value: i64,
    /// Whether the host knows it while it builds.
    pub constant: bool,
    /// Whether a layer finds it when it runs.
    pub size: bool,
}

impl Expr {
    /// An extent that is dynamic, with a value that only a test knows.
    pub fn dynamic(value: i64) -> Expr {
        Expr { value, constant: false, size: false }
    }

    /// A number.
    pub fn constant(value: i64) -> Expr {
        Expr { value, constant: true, size: false }
    }

    /// An extent that a layer finds.
    pub fn size(value: i64) -> Expr {
        Expr { value, constant: false, size: true }
    }
}

#[repr(C)]
struct ExprTable {
    destructors: [*const c_void; 2],
    is_constant: unsafe extern "C" fn(This) -> bool,
    constant: unsafe extern "C" fn(This) -> i64,
    is_size: unsafe extern "C" fn(This) -> bool,
}

#[repr(C)]
struct BuilderTable {
    destructors: [*const c_void; 2],
    constant: unsafe extern "C" fn(This, i64) -> This,
    operation: unsafe extern "C" fn(This, i32, This, This) -> This,
    declare: unsafe extern "C" fn(This, i32, This, This) -> This,
}

#[repr(C)]
struct Inner<T: 'static, V> {
    table: &'static T,
    value: V,
}

/// `{ vptr, mImpl }`, and what `mImpl` points to.
#[repr(C)]
struct Outer<T: 'static, V> {
    table: *const c_void,
    inner: *const Inner<T, V>,
    held: Box<Inner<T, V>>,
}

type RawExpr = Outer<ExprTable, Expr>;

// SAFETY: the pointers of the tables are to functions, or null.
unsafe impl Sync for ExprTable {}
// SAFETY: as above.
unsafe impl Sync for BuilderTable {}

static EXPR: ExprTable = ExprTable { destructors: [ptr::null(); 2], is_constant, constant: constant_value, is_size };
static BUILDER: BuilderTable =
    BuilderTable { destructors: [ptr::null(); 2], constant: make_constant, operation, declare };

unsafe fn value(inner: This) -> Expr {
    // SAFETY: a plugin hands back what it was given.
    unsafe { (*inner.cast::<Inner<ExprTable, Expr>>()).value }
}

unsafe fn of(outer: This) -> Expr {
    // SAFETY: as above.
    unsafe { (*outer.cast::<RawExpr>()).held.value }
}

unsafe extern "C" fn is_constant(this: This) -> bool {
    // SAFETY: as above.
    unsafe { value(this) }.constant
}

unsafe extern "C" fn constant_value(this: This) -> i64 {
    // SAFETY: as above.
    unsafe { value(this) }.value
}

unsafe extern "C" fn is_size(this: This) -> bool {
    // SAFETY: as above.
    unsafe { value(this) }.size
}

/// Expressions of a host, as long as this lives.
pub struct Exprs {
    outer: Box<Outer<BuilderTable, State>>,
}

struct State {
    #[expect(clippy::vec_box, reason = "they are handed out by their addresses")]
    made: RefCell<Vec<Box<RawExpr>>>,
    /// (output, opt, upper bound) of each size tensor.
    sizes: RefCell<Vec<(i32, i64, i64)>>,
    /// How many more it makes before it refuses.
    left: RefCell<usize>,
    operations: RefCell<usize>,
}

impl State {
    fn make(&self, value: Option<Expr>) -> This {
        let mut left = self.left.borrow_mut();
        let Some(value) = value.filter(|_| *left > 0) else { return ptr::null_mut() };
        *left -= 1;
        let held = Box::new(Inner { table: &EXPR, value });
        let mut expr = Box::new(Outer { table: ptr::null(), inner: ptr::from_ref(&*held), held });
        let raw = (&raw mut *expr).cast();
        self.made.borrow_mut().push(expr);
        raw
    }
}

unsafe fn state<'a>(inner: This) -> &'a State {
    // SAFETY: a plugin hands back what it was given.
    unsafe { &(*inner.cast::<Inner<BuilderTable, State>>()).value }
}

unsafe extern "C" fn make_constant(this: This, value: i64) -> This {
    // SAFETY: as above.
    unsafe { state(this) }.make(Some(Expr::constant(value)))
}

unsafe extern "C" fn operation(this: This, operation: i32, a: This, b: This) -> This {
    // SAFETY: as above.
    let (state, a, b) = unsafe { (state(this), of(a), of(b)) };
    *state.operations.borrow_mut() += 1;
    let (x, y) = (a.value, b.value);
    let value = match operation {
        0 => x.checked_add(y),
        1 => x.checked_mul(y),
        2 => Some(x.max(y)),
        3 => Some(x.min(y)),
        4 => x.checked_sub(y),
        5 => Some((x == y).into()),
        6 => Some((x < y).into()),
        7 if y != 0 => Some(x.div_euclid(y)),
        8 if y != 0 => Some(-(-x).div_euclid(y)),
        _ => None,
    };
    let value = value.filter(|_| !a.size && !b.size);
    state.make(value.map(|value| Expr { value, constant: a.constant && b.constant, size: false }))
}

unsafe extern "C" fn declare(this: This, output: i32, opt: This, upper: This) -> This {
    // SAFETY: as above.
    let (state, opt, upper) = unsafe { (state(this), of(opt), of(upper)) };
    state.sizes.borrow_mut().push((output, opt.value, upper.value));
    state.make(Some(Expr::size(upper.value)))
}

impl Default for Exprs {
    fn default() -> Self {
        Exprs::new()
    }
}

impl Exprs {
    /// A builder that makes whatever is asked for.
    pub fn new() -> Exprs {
        Exprs::refusing_after(usize::MAX)
    }

    /// A builder that makes as many expressions, the inputs' among them, and then returns null.
    pub fn refusing_after(left: usize) -> Exprs {
        let state = State {
            made: RefCell::default(),
            sizes: RefCell::default(),
            left: RefCell::new(left),
            operations: RefCell::default(),
        };
        let held = Box::new(Inner { table: &BUILDER, value: state });
        Exprs { outer: Box::new(Outer { table: ptr::null(), inner: ptr::from_ref(&*held), held }) }
    }

    /// An expression as a plugin is given it; null where no more are made.
    pub fn make(&self, expr: Expr) -> *const c_void {
        self.outer.held.value.make(Some(expr))
    }

    /// The builder as a plugin is given it.
    pub fn raw(&self) -> *mut c_void {
        ptr::from_ref(&*self.outer).cast_mut().cast()
    }

    /// What an expression is; `None` for what isn't one of this builder's.
    pub fn read(&self, expr: *const c_void) -> Option<Expr> {
        let made = self.outer.held.value.made.borrow();
        made.iter().find(|known| ptr::from_ref(&***known).cast() == expr).map(|known| known.held.value)
    }

    /// (output, opt, upper bound) of each size tensor that was declared.
    pub fn sizes(&self) -> Vec<(i32, i64, i64)> {
        self.outer.held.value.sizes.borrow().clone()
    }

    /// How many operations were asked for.
    pub fn operations(&self) -> usize {
        *self.outer.held.value.operations.borrow()
    }
}

impl std::fmt::Debug for Exprs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exprs").finish_non_exhaustive()
    }
}
